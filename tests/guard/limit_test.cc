// What each kind of quota promises, by hand.
#include <cmath>
#include <vector>

#include "tests/guard/limit_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(LimitTest, ARequestIsCountedOnceWhetherTheReadingHasItOrNot) {
  Make(Kind::kFixed);
  reading.limit = 10;
  reading.reset_at = kStart + seconds(60);
  const Id first = Take(), second = Take();
  now += milliseconds(50);
  Hear(first, 9, milliseconds(50));
  limit->Answered(first, now);
  EXPECT_EQ(limit->available(now), 8) << "the second is under way";
  Take();
  EXPECT_EQ(limit->available(now), 7);
  now += milliseconds(10);
  Hear(second, 8, milliseconds(60));
  limit->Answered(second, now);
  EXPECT_EQ(limit->available(now), 7) << "the third is not in that";
}

TEST_F(LimitTest, AnOlderReadingThatArrivesLateNeverRaisesTheLevel) {
  Make(Kind::kFixed);
  reading.limit = 10;
  reading.reset_at = kStart + seconds(60);
  const Id slow = Take();
  now += milliseconds(10);
  const Id quick = Take();
  now += milliseconds(10);
  Answer(quick, 4, milliseconds(10));
  EXPECT_EQ(limit->available(now), 3);
  now += milliseconds(500);
  Answer(slow, 9, milliseconds(520));
  EXPECT_LE(*limit->available(now), 4);
}

// Some round up, to a fifth of the limit: what was spent since is spent.
TEST_F(LimitTest, ACoarseReadingOfAWindowNeverGivesBackWhatWasSpent) {
  Make(Kind::kFixed);
  reading.limit = 100;
  reading.reset_at = kStart + seconds(60);
  for (double left = 99; left >= 61; --left, now += milliseconds(10)) Call(std::ceil(left / 20) * 20);
  EXPECT_EQ(limit->available(now), 61);
}

TEST_F(LimitTest, AResetIsAwaitedUntilItHasSurelyPassed) {
  Make(Kind::kFixed);
  reading.limit = 2;
  reading.reset_at = kStart + seconds(60);
  reading.reset_absolute = true;
  offset = quota::ClockOffset{.least = seconds(-3), .uncertainty = milliseconds(1200)};
  Call(1);
  Call(0);
  // Their clock may be 3 s behind, what they say is in whole seconds, and 0.3 s on top.
  const SystemTime sure = kStart + seconds(63) + seconds(1) + milliseconds(300);
  EXPECT_EQ(Earliest(), sure);
  now = sure - Micros(1);
  EXPECT_FALSE(Goes());
  now = sure;
  EXPECT_TRUE(Goes());
  EXPECT_EQ(limit->available(now), 2);
}

TEST_F(LimitTest, ResetsInFractionsOfASecondAreAwaitedLessLong) {
  Make(Kind::kFixed);
  reading.limit = 1;
  reading.reset_at = kStart + milliseconds(59'250);
  Call(0);
  EXPECT_EQ(Earliest(), kStart + milliseconds(59'250 + 1 + 300));
}

TEST_F(LimitTest, ARefusalRightAfterAResetMakesTheNextOneComeLater) {
  Make(Kind::kFixed);
  reading.limit = 1;
  reading.window_seconds = 60;
  reading.reset_at = kStart + milliseconds(60'250);
  Call(0);
  now = Earliest();
  const Id refused = Take();
  reading.reset_at = kStart + milliseconds(120'250);
  Hear(refused, 0, Micros(0), true);
  EXPECT_EQ(Earliest(), kStart + milliseconds(120'250 + 1 + 300 + 500));
}

TEST_F(LimitTest, ThoseBehindOthersWaitForTheWindowsAfter) {
  Make(Kind::kFixed);
  reading.limit = 10;
  reading.window_seconds = 60;
  reading.reset_at = kStart + milliseconds(60'250);
  Call(0);
  const SystemTime reset = Earliest();
  EXPECT_EQ(Earliest(1, 9), reset);
  EXPECT_EQ(Earliest(1, 10), reset + seconds(60));
  EXPECT_EQ(Earliest(1, 35), reset + seconds(180));
}

TEST_F(LimitTest, WhatIsUnderWayAtAResetCountsInTheNewWindow) {
  Make(Kind::kFixed);
  reading.limit = 5;
  reading.reset_at = kStart + seconds(60);
  Call(4);
  Take();
  Take();
  now = kStart + seconds(62);
  EXPECT_EQ(limit->available(now), 3);
}

TEST_F(LimitTest, HeadroomIsNeverTaken) {
  PaceOptions pace;
  pace.headroom = 3;
  Make(Kind::kFixed, "requests", "requests", pace);
  reading.limit = 10;
  reading.reset_at = kStart + seconds(60);
  Call(4);
  EXPECT_TRUE(Goes());
  Call(3);
  EXPECT_FALSE(Goes());
  pace.headroom = 0.2;
  pace.headroom_is_share = true;
  limit->SetPace(pace);
  EXPECT_EQ(limit->available(now), 1);
}

TEST_F(LimitTest, SpreadEvensOutAShareOfTheWindowsUse) {
  PaceOptions pace;
  pace.spread = 0.5;
  Make(Kind::kFixed, "requests", "requests", pace);
  reading.limit = 100;
  reading.window_seconds = 100;
  reading.reset_at = kStart + seconds(100);
  Call(99);
  EXPECT_TRUE(Goes()) << "half may go at any time";
  Call(50);
  const SystemTime next = Earliest();
  EXPECT_GT(next, now);
  EXPECT_LE(next, now + seconds(2)) << "of the other half one in two seconds";
  now = kStart + seconds(50);
  EXPECT_TRUE(Goes(25));
  EXPECT_FALSE(Goes(27));
}

// What is said as a share is not paced, and a window that is used up is used up.
TEST_F(LimitTest, AShareIsStoppedAtFullUseAndNeverBefore) {
  for (const char* unit : {"ratio", "percent"}) {
    const double whole = *unit == 'r' ? 1 : 100;
    Make(Kind::kFixed, unit, "unified-5h");
    now = kStart;
    reading.limit = whole;
    reading.reset_at = kStart + hours(5);
    const double cost = limit->CostOf({});
    ASSERT_GT(cost, 0);
    for (int i = 0; i < 1000; ++i) Take(cost);
    Call(whole / 1000, cost);
    EXPECT_TRUE(Goes(cost)) << unit;
    Call(0, cost);
    EXPECT_FALSE(Goes(cost)) << unit;
    EXPECT_GE(Earliest(cost), kStart + hours(5)) << unit;
    now = Earliest(cost);
    EXPECT_TRUE(Goes(cost)) << unit;
  }
}

TEST_F(LimitTest, BalancesAreNeverInTheWay) {
  Make(Kind::kBalance, "usd", "balance");
  EXPECT_EQ(limit->CostOf({}), 0);
}

TEST_F(LimitTest, TokensAreOfInputOfOutputOrWhatTheApiCounts) {
  const TokenCost tokens{.input = 10, .output = 20, .counted = 30};
  Make(Kind::kBucket, "tokens", "input-tokens");
  EXPECT_EQ(limit->CostOf(tokens), 10);
  Make(Kind::kBucket, "tokens", "output-tokens");
  EXPECT_EQ(limit->CostOf(tokens), 20);
  Make(Kind::kBucket, "tokens", "tokens");
  EXPECT_EQ(limit->CostOf(tokens), 30);
}

TEST_F(LimitTest, WhatOnlyTheApiCanReckonIsLearnedFromWhatCallsTook) {
  Make(Kind::kFixed, "points", "points");
  reading.limit = 5000;
  reading.reset_at = kStart + hours(1);
  EXPECT_LT(limit->CostOf({}), 1e-6);
  double left = 5000;
  for (const double took : {3.0, 3.0, 90.0, 3.0}) {
    const Id ticket = Take(limit->CostOf({}));
    now += milliseconds(100);
    left -= took;
    Answer(ticket, left, milliseconds(100));
    now += milliseconds(1);
  }
  EXPECT_EQ(limit->CostOf({}), 3);
}

TEST_F(LimitTest, AnEmptyPlanLetsNobodyGoAndAnUnknownOneEverybody) {
  Make(Kind::kFixed);
  EXPECT_TRUE(Goes());
  EXPECT_FALSE(limit->available(now));
  reading.limit = 0;
  reading.reset_at = kStart + seconds(60);
  Call(0);
  EXPECT_EQ(Earliest(), SystemTime::max());
  EXPECT_TRUE(limit->NeverFits(1));
}

TEST_F(LimitTest, OfAThousandWaitersNoTenthOfASecondSeesTwiceTheMean) {
  Make(Kind::kFixed);
  reading.limit = 5000;
  reading.window_seconds = 60;
  reading.reset_at = kStart + milliseconds(60'250);
  Call(0);
  limit->NoteWaiting(1000, now);
  now = Earliest();
  const SystemTime first = now;
  std::vector<int> bins(100);
  for (double waiting = 1000; waiting > 0; --waiting) {
    limit->NoteWaiting(waiting, now);
    now = Earliest();
    ++bins.at(static_cast<size_t>((now - first) / milliseconds(100)));
    Take();
  }
  const auto used = static_cast<double>((now - first) / milliseconds(100)) + 1;
  EXPECT_GE(now - first, seconds(1));
  EXPECT_LE(now - first, milliseconds(2100));
  for (const int bin : bins) EXPECT_LE(bin, 2 * 1000 / used);
}

TEST_F(LimitTest, WaitersOfABusyMachineDoNotLeaveAllAtOnceInTheEnd) {
  Make(Kind::kFixed);
  reading.limit = 5000;
  reading.window_seconds = 60;
  reading.reset_at = kStart + milliseconds(60'250);
  Call(0);
  limit->NoteWaiting(1000, now);
  now = Earliest();
  const SystemTime first = now;
  std::vector<int> bins(200);
  for (double waiting = 1000; waiting > 0; --waiting) {
    limit->NoteWaiting(waiting, now);
    now = std::max(now, Earliest());
    if (static_cast<int>(waiting) % 100 == 50) now += milliseconds(300);
    ++bins.at(static_cast<size_t>((now - first) / milliseconds(100)));
    Take();
  }
  EXPECT_LE(now - first, seconds(6));
  for (const int bin : bins) EXPECT_LE(bin, 50 + 25) << "50 in a tenth of a second, and 50 ms to catch up";
}

// Whoever looks at it does not decide when they leave.
TEST_F(LimitTest, LeavingBeginsAtTheResetWhenEverThatIsNoticed) {
  Make(Kind::kFixed);
  reading.limit = 100;
  reading.window_seconds = 60;
  reading.reset_at = kStart + milliseconds(60'250);
  Call(0);
  limit->NoteWaiting(50, now);
  now = Earliest() + seconds(10);
  EXPECT_EQ(limit->available(now), 100);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(Goes()) << "ten seconds after the reset nobody is held back";
    Take();
  }
}

}  // namespace
}  // namespace apiquota::guard
