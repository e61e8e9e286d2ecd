#include "base/clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace apiquota {
namespace {

using std::chrono::microseconds;

TEST(ClockTest, UnixSecondsKeepMicroseconds) {
  const SystemTime time(microseconds(1'718'236'861'000'001));
  EXPECT_DOUBLE_EQ(ToUnixSeconds(time), 1718236861.000001);
  EXPECT_EQ(FromUnixSeconds(ToUnixSeconds(time)), time);
}

TEST(ClockTest, UnixSecondsOutsideTheYears1970To9999AreNoTime) {
  EXPECT_EQ(FromUnixSeconds(0), SystemTime{});
  EXPECT_EQ(FromUnixSeconds(253402300799.0), SystemTime(microseconds(253'402'300'799'000'000)));
  EXPECT_EQ(FromUnixSeconds(-0.001), std::nullopt);
  EXPECT_EQ(FromUnixSeconds(253402300800.0), std::nullopt);
  EXPECT_EQ(FromUnixSeconds(std::numeric_limits<double>::infinity()), std::nullopt);
  EXPECT_EQ(FromUnixSeconds(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
}

TEST(ClockTest, SecondsRoundToTheNearestMicrosecond) {
  EXPECT_EQ(SecondsToMicros(1.001), microseconds(1'001'000));
  EXPECT_EQ(SecondsToMicros(-0.0000016), microseconds(-2));
  EXPECT_DOUBLE_EQ(ToSeconds(microseconds(1'500'000)), 1.5);
}

TEST(ClockTest, SecondsBeyondACenturyAreHeldAtTheBound) {
  constexpr microseconds kCentury(3'155'760'000'000'000);
  EXPECT_EQ(SecondsToMicros(1e300), kCentury);
  EXPECT_EQ(SecondsToMicros(-std::numeric_limits<double>::infinity()), -kCentury);
  EXPECT_EQ(SecondsToMicros(std::numeric_limits<double>::quiet_NaN()), microseconds(0));
}

TEST(ClockTest, TheRealClockGoesOn) {
  const Clock& clock = RealClock();
  const SteadyTime first = clock.SteadyNow();
  EXPECT_LE(first, clock.SteadyNow());
  EXPECT_GT(clock.SystemNow(), *FromUnixSeconds(1'700'000'000));
}

}  // namespace
}  // namespace apiquota
