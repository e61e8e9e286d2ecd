#include "net/pace.h"

#include <gtest/gtest.h>

#include <functional>

namespace apiquota::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart{};

// When whoever has moved `moved(t)` bytes by second t is found too slow by somebody who looks no more often
// than he must; -1: not within ten minutes.
double CutAt(const PaceLimit& limit, const std::function<uint64_t(double)>& moved) {
  Pace pace;
  for (SteadyTime now = kStart; now < kStart + seconds(600);) {
    const double t = std::chrono::duration<double>(now - kStart).count();
    if (pace.TooSlow(limit, moved(t), now)) return t;
    pace.Look(limit, true, moved(t), now);
    now = pace.NextLook(limit, now);
  }
  return -1;
}

TEST(PaceTest, WhoMovesNothingIsGivenOneSpan) {
  EXPECT_EQ(CutAt({seconds(30), 16}, [](double) { return 0; }), 30);
}

TEST(PaceTest, WhoStopsAfterAGoodStartIsGivenOneMoreSpanAndNotTwo) {
  for (const double stops : {1.0, 5.0, 14.0, 26.5, 29.0}) {
    const double cut = CutAt({seconds(30), 16}, [&](double t) { return t < stops ? 0 : 1'000'000; });
    EXPECT_GE(cut, stops + 30);
    EXPECT_LE(cut, stops + 30 + 30.0 / 8) << "looked at too seldom to know when it stopped";
  }
}

TEST(PaceTest, ARateBelowTheLowestIsCutAndOneAboveIsNot) {
  EXPECT_EQ(CutAt({seconds(30), 16}, [](double t) { return static_cast<uint64_t>(15 * t); }), 30);
  EXPECT_EQ(CutAt({seconds(30), 16}, [](double t) { return static_cast<uint64_t>(20 * t); }), -1);
}

TEST(PaceTest, WithoutARateOneByteInASpanIsEnough) {
  const PaceLimit limit(milliseconds(500), 0);
  EXPECT_EQ(CutAt(limit, [](double t) { return static_cast<uint64_t>(t * 2.1); }), -1);
  EXPECT_EQ(CutAt(limit, [](double t) { return static_cast<uint64_t>(t); }), 0.5);
}

TEST(PaceTest, TimeInWhichNothingIsDueDoesNotCount) {
  const PaceLimit limit(seconds(30), 16);
  Pace pace;
  pace.Look(limit, true, 0, kStart);
  pace.Look(limit, false, 0, kStart + seconds(29));
  EXPECT_FALSE(pace.TooSlow(limit, 0, kStart + seconds(31)));
  pace.Look(limit, true, 0, kStart + seconds(40));
  EXPECT_FALSE(pace.TooSlow(limit, 0, kStart + seconds(69)));
  EXPECT_TRUE(pace.TooSlow(limit, 0, kStart + seconds(70)));
}

}  // namespace
}  // namespace apiquota::net
