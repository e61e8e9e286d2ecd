#include "net/read_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace apiquota::net {
namespace {

// One read of at most `n` bytes, as a socket would fill it; returns what fitted.
size_t Fill(ReadBuffer& buffer, size_t n, char byte) {
  const std::span<char> room = buffer.Prepare();
  const size_t fitted = std::min(n, room.size());
  std::fill_n(room.begin(), fitted, byte);
  buffer.Commit(fitted);
  return fitted;
}

TEST(ReadBufferTest, GrowsOnlyWhenAReadFillsIt) {
  ReadBuffer buffer;
  EXPECT_EQ(buffer.Prepare().size(), ReadBuffer::kSmall);
  EXPECT_EQ(Fill(buffer, 100, 'a'), 100U);
  buffer.Consume(100);
  EXPECT_EQ(buffer.Prepare().size(), ReadBuffer::kSmall);
  EXPECT_EQ(Fill(buffer, 1 << 20, 'a'), ReadBuffer::kSmall);
  buffer.Consume(ReadBuffer::kSmall);
  EXPECT_EQ(Fill(buffer, 1 << 20, 'a'), 4 * ReadBuffer::kSmall);
  buffer.Consume(4 * ReadBuffer::kSmall);
  EXPECT_EQ(Fill(buffer, 1 << 20, 'a'), ReadBuffer::kLarge);
  buffer.Consume(ReadBuffer::kLarge);
  EXPECT_EQ(Fill(buffer, 1 << 20, 'a'), ReadBuffer::kLarge);
}

TEST(ReadBufferTest, HoldsNoMoreThanItsLargestSizeUnconsumed) {
  ReadBuffer buffer;
  size_t held = 0;
  while (size_t n = Fill(buffer, 1 << 20, 'a')) held += n;
  EXPECT_EQ(held, ReadBuffer::kLarge);
  EXPECT_EQ(buffer.view(), std::string(held, 'a'));
  buffer.Consume(1000);
  EXPECT_EQ(Fill(buffer, 1 << 20, 'b'), 1000U);
  EXPECT_EQ(buffer.view(), std::string(held - 1000, 'a') + std::string(1000, 'b'));
}

TEST(ReadBufferTest, ShrinksAgainWhenReadsStaySmall) {
  ReadBuffer buffer;
  for (int i = 0; i < 3; ++i) buffer.Consume(Fill(buffer, 1 << 20, 'a'));
  EXPECT_EQ(buffer.Prepare().size(), ReadBuffer::kLarge);
  for (int i = 0; i < 16; ++i) buffer.Consume(Fill(buffer, 10, 'a'));
  EXPECT_EQ(buffer.Prepare().size(), ReadBuffer::kSmall);
}

TEST(ReadBufferTest, ALargerLimitIsForBytesThatWaitNotForFasterReads) {
  ReadBuffer buffer;
  buffer.SetLimit(1 << 20);
  for (int i = 0; i < 100; ++i) buffer.Consume(Fill(buffer, 1 << 20, 'a'));
  EXPECT_EQ(buffer.capacity(), ReadBuffer::kLarge);
  size_t held = 0;
  while (size_t n = Fill(buffer, 1 << 20, 'a')) held += n;
  EXPECT_EQ(held, 1U << 20);
  EXPECT_EQ(buffer.view(), std::string(held, 'a'));
  buffer.Consume(held);
  EXPECT_EQ(buffer.Prepare().size(), ReadBuffer::kLarge);
}

TEST(ReadBufferTest, AtRestItHoldsNothingAndReadsOnInTheSamePieces) {
  ReadBuffer buffer;
  for (int i = 0; i < 3; ++i) buffer.Consume(Fill(buffer, 1 << 20, 'a'));
  buffer.Rest();
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(Fill(buffer, 1 << 20, 'b'), ReadBuffer::kLarge);
  buffer.Rest();
  EXPECT_EQ(buffer.view(), std::string(ReadBuffer::kLarge, 'b')) << "bytes wait";
}

TEST(ReadBufferTest, ALimitBelowTheUsualSizeChangesNothing) {
  ReadBuffer buffer;
  buffer.SetLimit(1);
  size_t held = 0;
  while (size_t n = Fill(buffer, 1 << 20, 'a')) held += n;
  EXPECT_EQ(held, ReadBuffer::kLarge);
}

TEST(ReadBufferTest, AnIdleConnectionKeepsNothingOfALargeHead) {
  ReadBuffer buffer;
  buffer.SetLimit(1 << 20);
  while (Fill(buffer, 1 << 20, 'a') > 0) continue;
  buffer.Shrink();
  EXPECT_EQ(buffer.capacity(), 1U << 20) << "bytes wait";
  buffer.Consume(buffer.view().size());
  buffer.Shrink();
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.view(), "");
  EXPECT_EQ(Fill(buffer, 1 << 20, 'b'), ReadBuffer::kSmall);
  EXPECT_EQ(buffer.view(), std::string(ReadBuffer::kSmall, 'b'));
  buffer.Consume(ReadBuffer::kSmall);
  buffer.Shrink();
  EXPECT_EQ(buffer.capacity(), ReadBuffer::kSmall) << "what small messages need stays";
}

TEST(ReadBufferTest, AFewBytesLeftBehindAtEveryReadAreNoFullBuffer) {
  ReadBuffer buffer;
  for (int i = 0; i < 1000; ++i) {
    Fill(buffer, 100, 'a');
    buffer.Consume(buffer.view().size() - 2);
    ASSERT_LE(buffer.Prepare().size(), ReadBuffer::kSmall) << i;
  }
  EXPECT_EQ(buffer.view(), "aa");
}

TEST(ReadBufferTest, KeepsUnconsumedBytesInOrderWhateverHappens) {
  ReadBuffer buffer;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const char byte = static_cast<char>('a' + i % 26);
    expected.append(Fill(buffer, static_cast<size_t>(i) * 37 % 9000, byte), byte);
    const size_t consumed = std::min(expected.size(), static_cast<size_t>(i) * 53 % 8000);
    buffer.Consume(consumed);
    expected.erase(0, consumed);
    ASSERT_EQ(buffer.view(), expected) << i;
  }
}

}  // namespace
}  // namespace apiquota::net
