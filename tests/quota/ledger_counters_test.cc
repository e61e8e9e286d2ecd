// What is counted from readings: consumption, peaks, forecasts (docs/quota-semantics.md rules 9 to 11).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

constexpr QuotaKind kBucket = QuotaKind::kBucket;

TEST(ConsumptionTest, FirstSightSetsTheBaselineAndAddsNothing) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 40, .reset = 100});
  EXPECT_EQ(bench.View(1).consumed_total, 0);
}

TEST(ConsumptionTest, AFixedWindowConsumedFromItsBaselineToTheLowestSeen) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 90, .reset = 100});
  bench.Say(1, {.limit = 100, .remaining = 85, .reset = 100});
  bench.Say(2, {.limit = 100, .remaining = 86, .reset = 100});
  EXPECT_EQ(bench.View(3).consumed_total, 5);
}

TEST(ConsumptionTest, AnAnswerOvertakenByTheFirstSeenRaisesTheBaseline) {
  Bench bench;
  bench.Tell({0, {}, 2, {.limit = 100, .remaining = 90, .reset = 100}});
  bench.Tell({1, {}, 1, {.limit = 100, .remaining = 91, .reset = 100}});
  EXPECT_EQ(bench.View(2).consumed_total, 1);
}

TEST(ConsumptionTest, ARiseThatANewerRequestSawIsNotWhatWasConsumed) {
  Bench bench;
  double t = 0;
  for (const double left : {10.0, 12.0, 9.0, 13.0})
    bench.Say(t += 3, {.limit = 20, .remaining = left, .reset = 600});
  EXPECT_EQ(bench.View(t).consumed_total, 1);
}

TEST(ConsumptionTest, AWindowAfterTheFirstIsCountedFromItsLimit) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 90, .reset = 100});
  bench.Say(101, {.limit = 100, .remaining = 97, .reset = 200});
  EXPECT_EQ(bench.View(102).consumed_total, 3);
}

TEST(ConsumptionTest, ALateAnswerStillCountsForTheWindowBefore) {
  Bench bench;
  bench.Tell({0, {}, 1, {.limit = 100, .remaining = 90, .reset = 100}});
  bench.Tell({101, {}, 3, {.limit = 100, .remaining = 99, .reset = 200}});
  bench.Tell({102, {}, 2, {.limit = 100, .remaining = 88, .reset = 100}});
  EXPECT_EQ(bench.View(103).consumed_total, 3);
}

TEST(ConsumptionTest, AResetThatMovesWhileTheWindowRunsAddsOnlyWhatFell) {
  Bench bench;
  for (int i = 0; i < 10; ++i)
    bench.Say(i * 10, {.limit = 100, .remaining = 50.0 - i, .reset = i * 10 + 60.0});
  EXPECT_EQ(bench.View(95).consumed_total, 9);
}

TEST(ConsumptionTest, WhatFellAsAResetMovedIsNotCountedAgainForOvertakenAnswers) {
  Bench bench;
  bench.Say(0, {.limit = 5000, .remaining = 4999, .reset = 3});
  bench.Tell({2.3, {}, 3, {.limit = 5000, .remaining = 4993, .reset = 10.3}, "ci", "api", 2.2});
  bench.Tell({2.3, {}, 2, {.limit = 5000, .remaining = 4998, .reset = 10.3}, "ci", "api", 2.2});
  EXPECT_EQ(bench.View(3).consumed_total, 6);
}

TEST(ConsumptionTest, AnUnknownWindowThatExpiredAddsOnlyWhatFell) {
  Bench bench;
  bench.Say(0, {.limit = 1000, .remaining = 500});
  bench.Say(3600, {.limit = 1000, .remaining = 490});
  EXPECT_EQ(bench.View(3601).consumed_total, 10);
}

TEST(ConsumptionTest, UsedAloneIsEnough) {
  Bench bench;
  bench.Say(0, {.used = 5, .reset = 100});
  bench.Say(1, {.used = 8, .reset = 100});
  bench.Say(101, {.used = 2, .reset = 200});
  EXPECT_EQ(bench.View(102).consumed_total, 5);
}

TEST(ConsumptionTest, ABucketAddsWhatCameBackInBetween) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 30, .window = 60, .kind = kBucket});   // one a second
  bench.Say(10, {.limit = 60, .remaining = 25, .window = 60, .kind = kBucket});  // 10 came back, 15 were used
  EXPECT_EQ(bench.View(11).consumed_total, 15);
}

TEST(ConsumptionTest, NothingComesBackWhileAnAnswerIsOnItsWay) {
  Bench bench;
  bench.Tell({0, 0, 1, {.limit = 60, .remaining = 40, .window = 60, .kind = QuotaKind::kBucket}});
  bench.Tell(
      {20, 0, 2, {.limit = 60, .remaining = 39, .window = 60, .kind = QuotaKind::kBucket}, "ci", "api", 0.5});
  EXPECT_NEAR(bench.View(20).consumed_total, 1.5, 0.01);
}

TEST(ConsumptionTest, ABucketNeverGetsBackMoreThanItsLimit) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .reset = 10, .window = 60, .kind = kBucket});
  bench.Say(40, {.limit = 60, .remaining = 58, .reset = 42, .window = 60, .kind = kBucket});
  EXPECT_EQ(bench.View(41).consumed_total, 2);
}

TEST(ConsumptionTest, ABucketWithoutAWindowIsPacedByItsReset) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 30, .reset = 30, .kind = kBucket});
  bench.Say(10, {.limit = 60, .remaining = 25, .reset = 45, .kind = kBucket});
  EXPECT_EQ(bench.View(11).consumed_total, 15);
}

TEST(ConsumptionTest, AnIdleBucketOfWholeUnitsIsNotUsed) {
  Bench bench;
  for (int i = 0; i <= 200; ++i) {
    const int refilled = i / 10;
    bench.Say(i * 0.1, {.limit = 60, .remaining = 30.0 + refilled, .window = 60, .kind = kBucket});
  }
  EXPECT_LE(bench.View(20).consumed_total, 1.0);
}

TEST(ConsumptionTest, ABucketThatRoseMoreThanExpectedAddsNothing) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 10, .window = 60, .kind = kBucket});
  bench.Say(1, {.limit = 60, .remaining = 60, .window = 60, .kind = kBucket});
  EXPECT_EQ(bench.View(2).consumed_total, 0);
}

TEST(ConsumptionTest, ASlidingWindowCountsWhatWasSeenToFall) {
  Bench bench;
  const QuotaKind kind = QuotaKind::kSliding;
  bench.Say(0, {.limit = 60, .remaining = 50, .window = 60, .kind = kind});
  bench.Say(10, {.limit = 60, .remaining = 45, .window = 60, .kind = kind});
  bench.Say(30, {.limit = 60, .remaining = 55, .window = 60, .kind = kind});
  bench.Say(31, {.limit = 60, .remaining = 54, .window = 60, .kind = kind});
  EXPECT_EQ(bench.View(32).consumed_total, 6);
  bench.Say(200, {.limit = 60, .remaining = 57, .window = 60, .kind = kind});  // all had come back
  EXPECT_EQ(bench.View(201).consumed_total, 9);
}

TEST(ConsumptionTest, ABalanceCountsWhatIsSpentAndIgnoresTopUps) {
  Bench bench;
  const QuotaKind kind = QuotaKind::kBalance;
  bench.Say(0, {.remaining = 20, .kind = kind});
  bench.Say(10, {.remaining = 18.5, .kind = kind});
  bench.Say(20, {.remaining = 118.5, .kind = kind});
  bench.Say(30, {.remaining = 118, .kind = kind});
  EXPECT_EQ(bench.View(31).consumed_total, 2);
}

TEST(PeaksTest, AShortWindowLeavesItsPeakWhenItCloses) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 90, .reset = 60, .window = 60});
  bench.Say(5, {.limit = 100, .remaining = 8, .reset = 60, .window = 60});
  EXPECT_EQ(bench.View(59).window_peaks, PeakHistogram{});
  // Nobody observes any more: reading it is enough.
  EXPECT_EQ(bench.View(60).window_peaks, (PeakHistogram{{0, 0, 0, 1, 0, 0}, 0.92}));
  EXPECT_EQ(bench.View(61).window_peaks, (PeakHistogram{{0, 0, 0, 1, 0, 0}, 0.92}));
  EXPECT_EQ(bench.View(61).windows_exhausted_total, 0);
}

TEST(PeaksTest, AnObservationOfTheNextWindowClosesTheOneBefore) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 0, .reset = 60, .window = 60});
  bench.Say(61, {.limit = 100, .remaining = 60, .reset = 120, .window = 60});
  const QuotaView view = bench.View(62);
  EXPECT_EQ(view.window_peaks, (PeakHistogram{{0, 0, 0, 0, 0, 1}, 1}));
  EXPECT_EQ(view.windows_exhausted_total, 1);
}

TEST(PeaksTest, AnAnswerAfterTheCloseDoesNotCountTheWindowTwice) {
  Bench bench;
  bench.Tell({0, {}, 2, {.limit = 100, .remaining = 10, .reset = 60, .window = 60}});
  bench.View(60.5);
  bench.Tell({61, {}, 1, {.limit = 100, .remaining = 11, .reset = 60, .window = 60}});
  EXPECT_EQ(bench.View(130).window_peaks, (PeakHistogram{{0, 0, 1, 0, 0, 0}, 0.9}));
}

TEST(PeaksTest, ALongWindowLeavesNoPeakButCountsItsExhaustion) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 0, .reset = 1800, .window = 1800});
  const QuotaView view = bench.View(1801);
  EXPECT_EQ(view.window_peaks, std::nullopt);
  EXPECT_EQ(view.windows_exhausted_total, 1);
}

TEST(PeaksTest, ABucketIsCutIntoSpansOfItsWindow) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 90, .reset = 6, .window = 60, .kind = kBucket});
  bench.Say(30, {.limit = 100, .remaining = 40, .reset = 66, .window = 60, .kind = kBucket});
  bench.Say(61, {.limit = 100, .remaining = 85, .reset = 70, .window = 60, .kind = kBucket});
  EXPECT_EQ(bench.View(62).window_peaks, (PeakHistogram{{0, 1, 0, 0, 0, 0}, 0.6}));
  EXPECT_EQ(bench.View(122).window_peaks, (PeakHistogram{{1, 1, 0, 0, 0, 0}, 0.75}));
}

TEST(PeaksTest, ALimitOfZeroIsNotExhaustion) {
  Bench bench;
  bench.Say(0, {.limit = 0, .remaining = 0, .reset = 60, .window = 60});
  EXPECT_EQ(bench.View(61).windows_exhausted_total, 0);
}

TEST(PeaksTest, WithoutAWindowTheTimeBetweenResetsTellsItsLength) {
  Bench bench;
  bench.Say(0, {.limit = 10, .remaining = 9, .reset = 60});
  EXPECT_EQ(bench.View(1).window_peaks, std::nullopt);
  bench.Say(61, {.limit = 10, .remaining = 1, .reset = 120});
  EXPECT_EQ(bench.View(121).window_peaks, (PeakHistogram{{0, 0, 1, 0, 0, 0}, 0.9}));
}

// Ten a second apart from the hundredth second on, one unit each.
void Spend(Bench* bench, double from, double remaining, const Words& words) {
  for (int i = 0; i < 10; ++i) {
    Words next = words;
    next.remaining = remaining - i;
    bench->Say(from + i, next);
  }
}

TEST(ForecastTest, AFixedWindowIsExhaustedWhenThePaceReachesZeroBeforeTheReset) {
  Bench bench;
  Spend(&bench, 0, 59, {.limit = 60, .reset = 100, .window = 100});
  EXPECT_EQ(bench.View(9).exhaustion_at, At(9 + 50));  // 50 left, one a second
}

TEST(ForecastTest, TheResetAlwaysWins) {
  Bench bench;
  Spend(&bench, 0, 159, {.limit = 160, .reset = 100, .window = 100});
  EXPECT_EQ(bench.View(9).exhaustion_at, std::nullopt);
}

TEST(ForecastTest, TwoReadingsAreNoForecast) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 59, .reset = 100, .window = 100});
  bench.Say(10, {.limit = 60, .remaining = 20, .reset = 100, .window = 100});
  EXPECT_EQ(bench.View(10).exhaustion_at, std::nullopt);
  bench.Say(20, {.limit = 60, .remaining = 10, .reset = 100, .window = 100});
  EXPECT_NE(bench.View(20).exhaustion_at, std::nullopt);
}

TEST(ForecastTest, AFixedWindowWithoutAResetHasNoForecast) {
  Bench bench;
  Spend(&bench, 0, 59, {.limit = 60, .window = 100});
  EXPECT_EQ(bench.View(9).exhaustion_at, std::nullopt);
}

TEST(ForecastTest, AnExpiredReadingHasNoForecast) {
  Bench bench;
  Spend(&bench, 0, 9, {.limit = 60, .reset = 10, .window = 100});
  EXPECT_NE(bench.View(9.4).exhaustion_at, std::nullopt);
  EXPECT_EQ(bench.View(10).exhaustion_at, std::nullopt);
}

TEST(ForecastTest, ABucketIsExhaustedOnlyIfConsumptionOutrunsTheRefill) {
  Bench slow;  // refill 1/s, consumption 1/s: the level stands
  for (int i = 0; i < 10; ++i)
    slow.Say(i, {.limit = 60, .remaining = 30, .reset = i + 30.0, .window = 60, .kind = kBucket});
  EXPECT_EQ(slow.View(9).exhaustion_at, std::nullopt);

  Bench fast;  // consumption 3/s: the level falls by 2/s
  for (int i = 0; i < 10; ++i) {
    fast.Say(i, {.limit = 60, .remaining = 50.0 - 2 * i, .reset = i + 60.0, .window = 60, .kind = kBucket});
  }
  EXPECT_EQ(fast.View(9).exhaustion_at, At(9 + 16));  // 32 left
}

TEST(ForecastTest, AQuotaNobodyUsesIsNotExhausted) {
  Bench bench;
  Spend(&bench, 0, 59, {.limit = 60, .reset = 3600, .window = 3600});
  EXPECT_NE(bench.View(10).exhaustion_at, std::nullopt);
  EXPECT_EQ(bench.View(2000).exhaustion_at, std::nullopt);  // the span has passed
}

TEST(ForecastTest, ABalanceHasNoForecast) {
  Bench bench;
  Spend(&bench, 0, 59, {.limit = 60, .kind = QuotaKind::kBalance});
  EXPECT_EQ(bench.View(9).exhaustion_at, std::nullopt);
}

}  // namespace
}  // namespace apiquota::quota
