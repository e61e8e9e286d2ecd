#include "net/descriptor_reserve.h"

#include <gtest/gtest.h>

#include <limits>

namespace apiquota::net {
namespace {

TEST(DescriptorReserveTest, ThirtyTwoAreKeptOrHalfOfVeryFew) {
  EXPECT_EQ(ReserveBegins(1024), 992);
  EXPECT_EQ(ReserveBegins(64), 32);
  EXPECT_EQ(ReserveBegins(20), 10);
  EXPECT_EQ(ReserveBegins(0), 0);
}

TEST(DescriptorReserveTest, NoLimitIsNoMark) {
  EXPECT_EQ(ReserveBegins(std::numeric_limits<uint64_t>::max()), std::numeric_limits<int>::max());
}

}  // namespace
}  // namespace apiquota::net
