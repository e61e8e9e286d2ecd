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

TEST(TwoLimitersTest, TheStricterIsShownAndTheConflictCounted) {
  Bench bench;
  bench.Say(0, {.limit = 1e6, .remaining = 999'999, .reset = 2'592'000});
  EXPECT_EQ(bench.Say(1, {.limit = 60, .remaining = 4, .reset = 61}).conflicts, 1);
  EXPECT_EQ(bench.View(2).limit, 60);
  EXPECT_EQ(bench.View(2).remaining, 4);
  EXPECT_EQ(bench.Say(2, {.limit = 1e6, .remaining = 999'998, .reset = 2'592'000}).conflicts, 1);
  EXPECT_EQ(bench.View(2).remaining, 4);
  bench.Say(3, {.limit = 60, .remaining = 0, .reset = 61});
  EXPECT_EQ(bench.View(4).remaining, 0);
  EXPECT_EQ(bench.View(4).consumed_total, 4);
  bench.Say(62, {.limit = 1e6, .remaining = 999'997, .reset = 2'592'000});
  EXPECT_EQ(bench.View(62).remaining, 999'997) << "the stricter one's window is over";
}

TEST(TwoLimitersTest, AStrictOneThatIsNotSaidAgainIsGivenUp) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 0, .reset = kYear});
  for (const double t : {1.0, 2.0}) bench.Say(t, {.limit = 5000, .remaining = 4000, .reset = 3000});
  EXPECT_EQ(bench.View(2).remaining, 0);
  bench.Say(3, {.limit = 5000, .remaining = 3999, .reset = 3000});
  EXPECT_EQ(bench.View(3).remaining, 3999);
}

// Two rules of one exporter, "a" and "b", that speak of "requests"; b's is "requests-2" where both do and
// differ.
provider::Reading OfRule(uint16_t family, double limit, double remaining, const std::string& quota) {
  provider::Reading reading =
      ReadingOf({.limit = limit, .remaining = remaining, .reset = 600, .quota = quota});
  reading.source = {family, quota != "requests"};
  return reading;
}

TEST(TwoLimitersTest, WhichQuotaARuleMeansDoesNotDependOnWhatElseAResponseSays) {
  for (const bool other_alone_first : {false, true}) {
    Ledger ledger({});
    uint64_t order = 0;
    const auto tell = [&](const std::vector<provider::Reading>& readings) {
      const SystemTime at = At(static_cast<double>(++order));
      ledger.Observe({.api = "api",
                      .key = "k",
                      .exporter = "generic",
                      .sent_at = at,
                      .received_at = at,
                      .date = {},
                      .order = order,
                      .readings = readings},
                     at);
    };
    if (other_alone_first) tell({OfRule(1, 1000, 901, "requests")});
    tell({OfRule(0, 100, 50, "requests"), OfRule(1, 1000, 900, "requests-2")});
    tell({OfRule(1, 1000, 899, "requests")});
    tell({OfRule(0, 100, 49, "requests")});
    const Snapshot snapshot = ledger.Read(At(10));
    ASSERT_EQ(snapshot.quotas.size(), 2);
    const size_t a = other_alone_first ? 1 : 0;
    EXPECT_EQ(snapshot.quotas[a].limit, 100);
    EXPECT_EQ(snapshot.quotas[a].remaining, 49);
    EXPECT_EQ(snapshot.quotas[1 - a].limit, 1000);
    EXPECT_EQ(snapshot.quotas[1 - a].remaining, 899);
    EXPECT_EQ(snapshot.quotas[a].limit_changes_total + snapshot.quotas[1 - a].limit_changes_total, 0);
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

Words Moving(double t, double remaining, bool assumed) {
  return {.limit = 10, .remaining = remaining, .reset = t + 60, .assumed = assumed};
}

TEST(KindTest, AnEndThatMovesOnWithEachAnswerIsASlidingWindow) {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.Say(i * 3, Moving(i * 3, 9 - i, true));
  EXPECT_EQ(bench.View(10).kind, QuotaKind::kSliding);
  bench.Say(60.5, Moving(60.5, 7, true));  // some came back
  EXPECT_EQ(bench.View(61).remaining, 7);
  EXPECT_EQ(bench.View(61).windows_exhausted_total, 0);
}

TEST(KindTest, AnEndThatMovesALittleWithEachOfManyAnswersDoesToo) {
  Bench bench;
  for (int i = 0; i < 20; ++i) bench.Say(i * 0.5, Moving(i * 0.5, 9, true));
  EXPECT_EQ(bench.View(10).kind, QuotaKind::kSliding);
}

TEST(KindTest, AnEndThatStaysIsAFixedWindowAgain) {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.Say(i * 3, Moving(i * 3, 9 - i, true));
  ASSERT_EQ(bench.View(10).kind, QuotaKind::kSliding);
  for (int i = 4; i < 8; ++i) bench.Say(i * 3, {.limit = 10, .remaining = 5, .reset = 69, .assumed = true});
  EXPECT_EQ(bench.View(25).kind, QuotaKind::kFixed);
}

TEST(KindTest, ADocumentedKindIsBelieved) {
  Bench bench;
  for (int i = 0; i < 6; ++i) bench.Say(i * 3, Moving(i * 3, 9 - i, false));
  EXPECT_EQ(bench.View(16).kind, QuotaKind::kFixed);
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
