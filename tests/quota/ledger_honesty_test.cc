// No single response freezes a quota, and nothing is shown that was not said (docs/quota-semantics.md rules 2
// to 5, 8 and 9).
#include <gtest/gtest.h>

#include "quota/quota_state.h"
#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

constexpr QuotaKind kBucket = QuotaKind::kBucket;
constexpr double kYear = 365 * 86'400.0;

TEST(OneResponseTest, AFarResetSaidOnceFreezesNothing) {
  Bench bench;
  bench.Say(0, {.limit = 5000, .remaining = 4000, .reset = kYear});
  bench.Say(1, {.limit = 5000, .remaining = 10, .reset = 3000});
  EXPECT_EQ(bench.View(2).remaining, 10);
  EXPECT_EQ(bench.View(2).reset_at, At(3000));
  bench.Say(3, {.limit = 5000, .remaining = 0, .reset = 3000});
  EXPECT_EQ(bench.View(4).remaining, 0);
  EXPECT_EQ(bench.View(4).consumed_total, 4000);
}

TEST(OneResponseTest, AFarResetOutlivesNoRestart) {
  Bench before;
  before.Say(0, {.limit = 5000, .remaining = 4000, .reset = kYear});
  Bench bench;
  ASSERT_TRUE(bench.ledger.Restore(before.ledger.Save(At(1)), At(2)));
  bench.Say(3, {.limit = 5000, .remaining = 10, .reset = 3000});
  EXPECT_EQ(bench.View(4).remaining, 10);
}

TEST(OneResponseTest, AnEarlierEndSaidByAnOlderRequestChangesNothing) {
  Bench bench;
  bench.Tell({10, {}, 2, {.limit = 60, .remaining = 59, .reset = 200}, "ci", "api", 5});
  bench.Tell({11, {}, 1, {.limit = 60, .remaining = 3, .reset = 100}, "ci", "api", 4});
  EXPECT_EQ(bench.View(12).remaining, 59);
}

TEST(OneResponseTest, ALaterEndSaidByAnOlderRequestChangesNothing) {
  Bench bench;
  bench.Tell({1, {}, 2, {.limit = 5000, .remaining = 10, .reset = 3000}});
  bench.Tell({2, {}, 1, {.limit = 5000, .remaining = 4000, .reset = kYear}, "ci", "api", 0});
  EXPECT_EQ(bench.View(3).remaining, 10);
  EXPECT_EQ(bench.View(3).reset_at, At(3000));
}

TEST(OneResponseTest, AnEndWithoutALevelBlanksNone) {
  for (const double end : {60.0, 3000.0}) {
    Bench bench;
    bench.Say(0, {.limit = 100, .remaining = 40, .reset = 600});
    bench.Say(1, {.limit = 100, .reset = end});
    EXPECT_EQ(bench.View(2).remaining, 40);
    EXPECT_EQ(bench.View(2).reset_at, At(std::min(end, 600.0)))
        << "a level keeps its reset, or an earlier one";
    EXPECT_EQ(bench.View(601).remaining, std::nullopt);
  }
}

TEST(OneResponseTest, AnswersWithoutALevelHideNone) {
  for (const QuotaKind kind : {kBucket, QuotaKind::kSliding}) {
    Bench bench;
    bench.Tell({0, {}, 1, {.limit = 100, .remaining = 40, .reset = 600, .kind = kind}});
    Words no_level{.limit = 100, .kind = kind};
    if (kind != kBucket) no_level.reset = 11;  // of a bucket it means full
    bench.Tell({11, {}, 3, no_level, "ci", "api", 10});
    EXPECT_EQ(bench.View(12).remaining, 40) << "a reset of now is none of that level";
    bench.Tell({12, {}, 2, {.limit = 100, .remaining = 30, .reset = 600, .kind = kind}, "ci", "api", 9});
    EXPECT_EQ(bench.View(12).remaining, 30) << "overtaken by an answer that said none";
    EXPECT_EQ(bench.View(12).reset_at, At(600));
  }
}

TEST(OneResponseTest, AWrongDateFreezesNoBucket) {
  Bench bench;
  bench.Tell({0, 3600, 1, {.limit = 100, .remaining = 50, .reset = 4, .absolute = false, .kind = kBucket}});
  for (const double t : {1.0, 2.0, 3.0}) {
    bench.Tell({t,
                t,
                static_cast<uint64_t>(t) + 1,
                {.limit = 100, .remaining = 40 - t, .reset = t + 60, .absolute = false, .kind = kBucket}});
    EXPECT_EQ(bench.View(t).remaining, 40 - t);
  }
}

TEST(OneResponseTest, AWrongDateNeitherBlanksNorMovesAnAbsoluteReset) {
  for (const double wrong : {3600.0, -3600.0}) {
    Bench bench;
    for (uint64_t order = 1; order <= 9; ++order) {
      const auto t = static_cast<double>(order);
      bench.Tell({t, t + (order == 5 ? wrong : 0), order, {.limit = 60, .remaining = 60 - t, .reset = 1800}});
      EXPECT_EQ(bench.View(t).remaining, 60 - t) << t;
      EXPECT_EQ(bench.View(t).reset_at, At(1800)) << t;
    }
  }
}

TEST(NothingInventedTest, WithoutAnEndOnlyFallsAreConsumption) {
  Bench bench;
  double t = 0;
  for (const double remaining : {10, 12, 11, 13, 12, 14, 13}) {
    bench.Tell({t, t, static_cast<uint64_t>(t) + 1, {.limit = 1000, .remaining = remaining}});
    EXPECT_EQ(bench.View(t).remaining, remaining);
    t += 3;
  }
  EXPECT_EQ(bench.View(t).consumed_total, 3);
}

TEST(NothingInventedTest, ALevelThatSwingsWithoutAnEndExhaustsNoWindows) {
  Bench bench;
  double t = 0;
  for (const double remaining : {0, 1, 0, 1, 0}) bench.Say(t += 3, {.limit = 100, .remaining = remaining});
  EXPECT_EQ(bench.View(t).windows_exhausted_total, 0);
}

TEST(NothingInventedTest, AComputedLimitThatWobblesIsNoLimitChange) {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.Say(i, {.remaining = 90, .used = 10.0 + i, .reset = 600});
  EXPECT_EQ(bench.View(5).limit_changes_total, 0);
}

TEST(ZeroTest, NothingLeftAtAResetOfNowIsNothingLeft) {
  for (const QuotaKind kind : {kBucket, QuotaKind::kFixed, QuotaKind::kSliding}) {
    Bench bench;
    // Whole seconds, rounded down.
    bench.Say(10.6, {.limit = 800, .remaining = 0, .reset = 10, .kind = kind});
    EXPECT_EQ(bench.View(11.5).remaining, 0);
    EXPECT_EQ(bench.View(11.5).used_ratio, 1);
    EXPECT_EQ(bench.View(11.5).reset_at, std::nullopt);
    EXPECT_NE(bench.View(12.1).remaining, 0);
  }
}

TEST(ZeroTest, NothingLeftAndAResetOfZeroSecondsIsExhausted) {
  Bench bench;
  bench.Say(10, {.limit = 100, .remaining = 0, .reset = 10, .absolute = false});
  EXPECT_EQ(bench.View(60).remaining, 0);
  EXPECT_EQ(bench.View(60).used_ratio, 1);
}

TEST(AmountsTest, MoreUsedThanALimitSaidBeforeIsOverdrawnNotNegative) {
  Bench bench;
  bench.Say(0, {.limit = 100, .used = 10, .reset = 600});
  bench.Say(1, {.used = 130, .reset = 600});
  EXPECT_EQ(bench.View(2).remaining, 0);
  EXPECT_EQ(bench.View(2).used, 130);
  EXPECT_EQ(bench.View(2).used_ratio, 1.3);
}

TEST(AmountsTest, MoreLeftThanTheLimitIsNoNegativeUse) {
  Bench bench;
  bench.Say(0, {.limit = 100, .remaining = 120, .reset = 600});
  EXPECT_EQ(bench.View(1).remaining, 120);
  EXPECT_EQ(bench.View(1).used, std::nullopt);
  EXPECT_EQ(bench.View(1).used_ratio, 0);
}

TEST(AmountsTest, ABalanceMayBeADebt) {
  Bench bench;
  bench.Say(0, {.remaining = -3.5, .kind = QuotaKind::kBalance});
  EXPECT_EQ(bench.View(1).remaining, -3.5);
}

TEST(CacheTest, AnAnswerOutOfACacheMovesNoClockAndNoNewerLevel) {
  Bench bench;
  for (uint64_t order = 1; order <= 3; ++order) {
    const auto t = static_cast<double>(order);
    bench.Tell({t, t, order, {.limit = 60, .remaining = 60 - t, .reset = 600}});
  }
  for (uint64_t order = 4; order <= 9; ++order) {
    bench.Tell({static_cast<double>(order),
                -1800,
                order,
                {.limit = 60, .remaining = 1, .reset = 600},
                "ci",
                "api",
                {},
                1800});
  }
  EXPECT_EQ(bench.View(10).remaining, 57);
  EXPECT_EQ(bench.View(10).reset_at, At(600));
}

TEST(CacheTest, AnAnswerOutOfACacheCountsWhereNothingNewerIsKnown) {
  Bench bench;
  bench.Tell(
      {100, 40, 1, {.limit = 60, .remaining = 30, .reset = 160, .absolute = false}, "ci", "api", {}, 60});
  const QuotaView view = bench.View(99.5);
  EXPECT_EQ(view.remaining, 30);
  EXPECT_EQ(view.reset_at, At(100)) << "60 s from when it was said";
}

TEST(CacheTest, AnAnswerOutOfACacheIsNotNewerThanWhatWasRestored) {
  Bench before;
  before.Say(100, {.limit = 60, .remaining = 10, .reset = 600});
  for (const double age : {150.0, 50.0}) {
    Bench after;
    ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(101)), At(110)));
    after.Tell({200, {}, 1, {.limit = 60, .remaining = 5, .reset = 600}, "ci", "api", {}, age});
    EXPECT_EQ(after.View(201).remaining, age > 100 ? 10 : 5);
  }
}

TEST(LevelTest, KeepsTheOrderAndTheSendingOfItsRequestAndTheClockItCameWith) {
  QuotaState state;
  const Said said{At(1), At(3), At(302), 7};
  const ClockOffset offset{SecondsToMicros(299), SecondsToMicros(3)};
  Fold(ReadingOf({.limit = 60, .remaining = 50, .reset = 900}), {said, offset}, std::chrono::minutes(15),
       At(3), &state);
  Fold(ReadingOf({.limit = 60}), {{At(4), At(5), At(304), 8}, offset}, std::chrono::minutes(15), At(5),
       &state);
  EXPECT_EQ(state.held.level, said);
  EXPECT_EQ(state.held.level_offset, offset);
}

}  // namespace
}  // namespace apiquota::quota
