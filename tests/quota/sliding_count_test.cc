#include "quota/sliding_count.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace apiquota::quota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Parts = std::vector<std::pair<int64_t, uint64_t>>;

const SystemTime kStart{seconds(1'700'000'000)};  // the beginning of a second, and so of a part of a minute

class SlidingCountTest : public testing::Test {
 protected:
  SlidingCount minute_{seconds(60)};
};

TEST_F(SlidingCountTest, NothingCountedIsZero) {
  EXPECT_EQ(minute_.Count(kStart), 0u);
  EXPECT_EQ(minute_.OldestLeaves(kStart), std::nullopt);
}

TEST_F(SlidingCountTest, ARequestCountsForTheWindowAndNoLongerThanASixtiethMore) {
  minute_.Add(kStart);
  EXPECT_EQ(minute_.OldestLeaves(kStart), kStart + seconds(61));
  EXPECT_EQ(minute_.Count(kStart + seconds(60)), 1u);
  EXPECT_EQ(minute_.Count(kStart + seconds(61) - milliseconds(1)), 1u);
  EXPECT_EQ(minute_.Count(kStart + seconds(61)), 0u);
}

TEST_F(SlidingCountTest, TheEndOfAPartLeavesWithItsBeginning) {
  minute_.Add(kStart);
  minute_.Add(kStart + milliseconds(999));
  minute_.Add(kStart + seconds(1));
  EXPECT_EQ(minute_.Count(kStart + milliseconds(60'999)), 3u);
  EXPECT_EQ(minute_.Count(kStart + seconds(61)), 1u);
  EXPECT_EQ(minute_.OldestLeaves(kStart + seconds(61)), kStart + seconds(62));
  EXPECT_EQ(minute_.Count(kStart + seconds(62)), 0u);
}

TEST_F(SlidingCountTest, ALongSilenceForgetsEverything) {
  minute_.Add(kStart, 1000);
  EXPECT_EQ(minute_.Count(kStart + hours(1000)), 0u);
  minute_.Add(kStart + hours(1000));
  EXPECT_EQ(minute_.Count(kStart + hours(1000)), 1u);
}

TEST_F(SlidingCountTest, AClockSetBackChangesNoAge) {
  minute_.Add(kStart, 5);
  minute_.Add(kStart + seconds(30), 7);
  const SystemTime back = kStart - hours(5);
  EXPECT_EQ(minute_.Count(back), 12u);
  EXPECT_EQ(minute_.OldestLeaves(back), back + seconds(31));
  EXPECT_EQ(minute_.Count(back + seconds(31)), 7u);
  EXPECT_EQ(minute_.Count(back + seconds(61)), 0u);
}

TEST_F(SlidingCountTest, AClockSetBackToItsBeginningForgetsWhatIsOlder) {
  minute_.Add(kStart, 5);
  minute_.Add(kStart + seconds(30), 7);
  minute_.Add(kStart + seconds(59), 1);
  const SystemTime epoch{seconds(3)};
  EXPECT_EQ(minute_.Count(epoch), 1u);
  EXPECT_EQ(minute_.OldestLeaves(epoch), epoch + seconds(61));
  minute_.Count(epoch + seconds(30));
  EXPECT_EQ(minute_.Count(SystemTime(seconds(0))), 0u);
  EXPECT_EQ(minute_.OldestLeaves(SystemTime(seconds(0))), std::nullopt);
}

TEST_F(SlidingCountTest, WindowsThatDontDivideEvenlyAreRoundedUp) {
  SlidingCount odd{Micros(61)};
  const SystemTime start{Micros(1'000'000)};
  odd.Add(start);
  EXPECT_EQ(odd.Count(start + Micros(61)), 1u);
  EXPECT_EQ(odd.Count(start + Micros(2 * 61)), 0u);
}

TEST_F(SlidingCountTest, ARestartLosesNothing) {
  minute_.Add(kStart, 5);
  minute_.Add(kStart + seconds(30), 7);
  EXPECT_EQ(minute_.Parts(), (Parts{{1'700'000'000, 5}, {1'700'000'030, 7}}));
  SlidingCount again{seconds(60)};
  again.Add(kStart + seconds(40));
  again.Restore(minute_.Parts(), kStart + seconds(40));
  EXPECT_EQ(again.Count(kStart + seconds(40)), 13u);
  EXPECT_EQ(again.Count(kStart + seconds(61)), 8u);
  SlidingCount later{seconds(60)};
  later.Restore(minute_.Parts(), kStart + seconds(70));
  EXPECT_EQ(later.Count(kStart + seconds(70)), 7u) << "the rest has left meanwhile";
}

TEST_F(SlidingCountTest, WhatAFileSaysOfTheFutureCountsFromNow) {
  minute_.Restore({{INT64_MAX, 3}, {-5, 9}}, kStart);
  EXPECT_EQ(minute_.Count(kStart), 3u);
  EXPECT_EQ(minute_.Count(kStart + seconds(61)), 0u);
}

// Against a list of every request: never lower than the exact count, never above that of a window one part
// longer.
TEST_F(SlidingCountTest, TheCountIsNeverTooLowAndHardlyTooHigh) {
  std::mt19937_64 random(11);
  std::deque<SystemTime> sent;
  SystemTime now = kStart;
  for (int i = 0; i < 20'000; ++i) {
    now += milliseconds(random() % (i % 1000 == 0 ? 100'000 : 200));
    if (random() % 3 != 0) {
      minute_.Add(now);
      sent.push_back(now);
    }
    const auto since = [&](Micros length) {
      return static_cast<uint64_t>(
          std::ranges::count_if(sent, [&](SystemTime at) { return at > now - length; }));
    };
    while (!sent.empty() && sent.front() < now - seconds(100)) sent.pop_front();
    const uint64_t count = minute_.Count(now);
    ASSERT_GE(count, since(seconds(60)));
    ASSERT_LE(count, since(seconds(61)));
  }
}

}  // namespace
}  // namespace apiquota::quota
