// How long a reading holds, and which times are believed (docs/quota-semantics.md rules 6 to 8).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using provider::SignalField;
using provider::SignalFields;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr QuotaKind kBucket = QuotaKind::kBucket;

TEST(LedgerTest, AReadingHoldsUntilItsReset) {
  for (const QuotaKind kind : {QuotaKind::kFixed, QuotaKind::kSliding}) {
    Bench bench;
    bench.Say(0, {.limit = 60, .remaining = 50, .reset = 100, .kind = kind});
    EXPECT_TRUE(bench.View(99.9).valid);
    const QuotaView view = bench.View(100);
    EXPECT_FALSE(view.valid);
    EXPECT_EQ(view.remaining, std::nullopt);
    EXPECT_EQ(view.used, std::nullopt);
    EXPECT_EQ(view.used_ratio, std::nullopt);
    EXPECT_EQ(view.reset_at, std::nullopt);
    EXPECT_EQ(view.derived, SignalFields());
    EXPECT_EQ(view.limit, 60);
    EXPECT_TRUE(view.limit_assumed);
  }
}

TEST(LedgerTest, ABucketIsFullFromItsResetOnForItsWindow) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .reset = 10, .window = 60, .kind = kBucket});
  EXPECT_EQ(bench.View(9.9).remaining, 50);
  const QuotaView full = bench.View(10);
  EXPECT_TRUE(full.valid);
  EXPECT_EQ(full.remaining, 60);
  EXPECT_EQ(full.used, 0);
  EXPECT_EQ(full.used_ratio, 0);
  EXPECT_EQ(full.reset_at, std::nullopt);
  EXPECT_EQ(full.derived, (SignalFields{SignalField::kRemaining, SignalField::kUsed}));
  EXPECT_EQ(full.consumed_total, 0);
  EXPECT_TRUE(bench.View(69.9).valid);
  EXPECT_FALSE(bench.View(70).valid);
}

TEST(LedgerTest, ABucketWithoutAWindowIsTakenAsFullForExpireAfter) {
  Bench bench({.expire_after = std::chrono::minutes(5)});
  bench.Say(0, {.limit = 60, .remaining = 50, .reset = 10, .kind = kBucket});
  EXPECT_EQ(bench.View(309.9).remaining, 60);
  EXPECT_FALSE(bench.View(310).valid);
}

TEST(LedgerTest, NothingHoldsByAWindowThatWasComputedFromRoundedAmounts) {
  Bench bench;
  provider::Reading reading =
      ReadingOf({.limit = 60, .remaining = 59, .reset = 0.1, .window = 6, .kind = kBucket});
  reading.derived.Add(SignalField::kWindow);
  bench.Observe({&reading, 1}, 0);
  EXPECT_EQ(bench.View(8).remaining, 60);
  EXPECT_EQ(bench.View(0.1 + 15 * 60).remaining, std::nullopt);
}

TEST(LedgerTest, ABucketWithoutALimitEndsAtItsReset) {
  Bench bench;
  bench.Say(0, {.remaining = 50, .reset = 10, .window = 60, .kind = kBucket});
  EXPECT_TRUE(bench.View(9.9).valid);
  EXPECT_FALSE(bench.View(10).valid);
}

TEST(LedgerTest, WithoutAResetAReadingHoldsForItsWindow) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .window = 60});
  EXPECT_TRUE(bench.View(59.9).valid);
  EXPECT_FALSE(bench.View(60).valid);
}

TEST(LedgerTest, WithoutResetAndWindowAReadingHoldsForExpireAfter) {
  Bench bench({.expire_after = std::chrono::minutes(5)});
  bench.Say(0, {.limit = 60, .remaining = 50});
  EXPECT_TRUE(bench.View(299.9).valid);
  EXPECT_FALSE(bench.View(300).valid);
}

TEST(LedgerTest, ALimitSaidAgainDoesNotProlongTheLevel) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .window = 60, .kind = kBucket});
  bench.Say(50, {.limit = 60, .window = 60, .kind = kBucket});
  EXPECT_FALSE(bench.View(61).valid);
}

TEST(LedgerTest, AnAbsoluteResetIsCorrectedByTheDate) {
  Bench bench;
  // Their clock is five minutes ahead.
  bench.Tell({0, 300, 1, {.limit = 60, .remaining = 50, .reset = 400}});
  EXPECT_EQ(bench.View(0).reset_at, At(400)) << "one response is no agreement";
  bench.Tell({1, 301, 2, {.limit = 60, .remaining = 49, .reset = 400}});
  EXPECT_EQ(bench.View(1).reset_at, At(100));
}

TEST(LedgerTest, TheFirstAnswerOfAClockThatIsBehindIsNotOver) {
  Bench bench;
  bench.Tell({0, -7200, 1, {.limit = 60, .remaining = 50, .reset = -6800}});
  EXPECT_EQ(bench.View(1).remaining, 50);
  EXPECT_EQ(bench.View(1).reset_at, At(400));
  bench.Tell({2, -7198, 2, {.limit = 60, .remaining = 48, .reset = -6800}});
  bench.Tell({3, -7197, 3, {.limit = 60, .remaining = 49, .reset = -6800}});  // overtaken
  EXPECT_EQ(bench.View(3).remaining, 48);
}

TEST(LedgerTest, WhatWasAgreedOnAClockHoldsUntilAnswersAgreeOnAnother) {
  Bench bench;
  const auto say = [&](double t, double ahead) {
    bench.Tell({t, t + ahead, ++bench.order, {.limit = 60, .remaining = 60 - t, .reset = -6800}});
    EXPECT_EQ(bench.View(t).remaining, 60 - t) << t;
  };
  for (int t = 0; t < 4; ++t) say(t, -7200);
  for (int t = 4; t < 8; ++t) say(t, 1000.0 * t);  // machines behind the name that are wrong
}

TEST(LedgerTest, ALateAnswerIsNoClockThatIsBehind) {
  Bench bench;
  bench.Tell({0, 0, 1, {.limit = 60, .remaining = 50, .reset = 400}});
  bench.Tell({50, 20, 2, {.limit = 60, .remaining = 49, .reset = 400}});
  EXPECT_EQ(bench.View(51).reset_at, At(400));
}

TEST(LedgerTest, ADateWithinTheSkewCorrectsNothing) {
  Bench bench;
  bench.Tell({0, -1.9, 1, {.limit = 60, .remaining = 50, .reset = 400}});
  EXPECT_EQ(bench.View(1).reset_at, At(400));
}

TEST(LedgerTest, ADateMoreThanADayOffCorrectsNothing) {
  Bench bench;
  bench.Tell({0, -86'401, 1, {.limit = 60, .remaining = 50, .reset = 400}});
  EXPECT_EQ(bench.View(1).reset_at, At(400));
}

TEST(LedgerTest, ARelativeResetIsNotCorrected) {
  Bench bench;
  bench.Tell({0, 300, 1, {.limit = 60, .remaining = 50, .reset = 400, .absolute = false}});
  EXPECT_EQ(bench.View(1).reset_at, At(400));
}

TEST(LedgerTest, ABucketWhoseResetHasPassedIsFull) {
  Bench bench;
  bench.Say(10, {.limit = 60, .remaining = 59, .reset = 8, .window = 60, .kind = kBucket});
  const QuotaView view = bench.View(11);
  EXPECT_TRUE(view.valid);
  EXPECT_EQ(view.remaining, 60);
  EXPECT_EQ(view.used, 0);
  EXPECT_EQ(view.reset_at, std::nullopt);
  EXPECT_EQ(view.derived, (SignalFields{SignalField::kRemaining, SignalField::kUsed}));
}

TEST(LedgerTest, AFullBucketForgetsTheResetSaidBefore) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .reset = 90, .kind = kBucket});
  bench.Say(80, {.limit = 60, .remaining = 60, .reset = 80, .kind = kBucket});
  EXPECT_EQ(bench.View(81).reset_at, std::nullopt);
  EXPECT_EQ(bench.View(95).remaining, 60);
}

TEST(LedgerTest, AFixedWindowWhoseResetHasPassedIsUnknown) {
  Bench bench;
  bench.Say(10, {.limit = 60, .remaining = 0, .reset = 8});
  const QuotaView view = bench.View(10);
  EXPECT_FALSE(view.valid);
  EXPECT_EQ(view.remaining, std::nullopt);
  EXPECT_EQ(view.limit, 60);
  EXPECT_TRUE(view.limit_assumed);
}

TEST(LedgerTest, AResetMoreThan400DaysOffIsIgnoredAndReported) {
  for (const double days : {401.0, -401.0}) {
    Bench bench;
    const ObserveResult result = bench.Say(0, {.limit = 60, .remaining = 50, .reset = days * 86'400});
    EXPECT_THAT(result.implausible, ElementsAre(SignalField::kReset));
    const QuotaView view = bench.View(1);
    EXPECT_EQ(view.remaining, 50);
    EXPECT_EQ(view.reset_at, std::nullopt);
  }
  Bench bench;
  EXPECT_THAT(bench.Say(0, {.limit = 60, .remaining = 50, .reset = 399 * 86'400.0}).implausible, IsEmpty());
}

TEST(LedgerTest, AWindowThatCannotBeIsIgnored) {
  for (const double window : {0.0, -1.0, 1e300}) {
    Bench bench;
    bench.Say(0, {.limit = 60, .remaining = 50, .window = window});
    EXPECT_EQ(bench.View(1).window_seconds, std::nullopt);
  }
}

}  // namespace
}  // namespace apiquota::quota
