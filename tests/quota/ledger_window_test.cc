// Which of several readings is believed (docs/quota-semantics.md rules 3 to 5, 13).
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

TEST(LedgerTest, AReadingIsShownAsItWasSaid) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 45, .used = 15, .reset = 1800, .window = 3600, .resource = "core"});
  const QuotaView view = bench.View(1);
  EXPECT_EQ(view.id, (QuotaId{"api", "ci", "core", "requests", "requests"}));
  EXPECT_EQ(view.exporter, "generic");
  EXPECT_EQ(view.kind, QuotaKind::kFixed);
  EXPECT_EQ(view.limit, 60);
  EXPECT_EQ(view.remaining, 45);
  EXPECT_EQ(view.used, 15);
  EXPECT_EQ(view.used_ratio, 0.25);
  EXPECT_EQ(view.reset_at, At(1800));
  EXPECT_EQ(view.window_seconds, 3600);
  EXPECT_TRUE(view.valid);
  EXPECT_FALSE(view.limit_assumed);
  EXPECT_EQ(view.observed_at, At(0));
  EXPECT_EQ(view.derived, SignalFields());
}

TEST(LedgerTest, ZeroIsData) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 0, .reset = 100});
  const QuotaView view = bench.View(1);
  EXPECT_EQ(view.remaining, 0);
  EXPECT_EQ(view.used, 60);
  EXPECT_EQ(view.used_ratio, 1);
}

TEST(LedgerTest, WhatWasNotSaidIsAbsent) {
  Bench bench;
  bench.Say(0, {.remaining = 7});
  const QuotaView view = bench.View(1);
  EXPECT_EQ(view.remaining, 7);
  EXPECT_EQ(view.limit, std::nullopt);
  EXPECT_EQ(view.used, std::nullopt);
  EXPECT_EQ(view.used_ratio, std::nullopt);
  EXPECT_EQ(view.reset_at, std::nullopt);
  EXPECT_EQ(view.window_seconds, std::nullopt);
  EXPECT_EQ(view.policy, std::nullopt);
}

TEST(LedgerTest, TheUsedRatioIsAbsentForALimitOfZero) {
  Bench bench;
  bench.Say(0, {.limit = 0, .remaining = 0});
  EXPECT_EQ(bench.View(1).used_ratio, std::nullopt);
}

TEST(LedgerTest, TheUsedRatioMayExceedOne) {
  Bench bench;
  bench.Say(0, {.limit = 100, .used = 130});
  EXPECT_EQ(bench.View(1).used_ratio, 1.3);
}

TEST(LedgerTest, ANewerWindowWinsOverALowerRemaining) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 3, .reset = 100});
  bench.Say(101, {.limit = 60, .remaining = 59, .reset = 200});
  EXPECT_EQ(bench.View(102).remaining, 59);
  EXPECT_EQ(bench.View(102).reset_at, At(200));
}

TEST(LedgerTest, AnOlderWindowNeverComesBack) {
  Bench bench;
  bench.Tell({101, {}, 2, {.limit = 60, .remaining = 59, .reset = 200}});
  bench.Tell({102, {}, 1, {.limit = 60, .remaining = 3, .reset = 100}});
  EXPECT_EQ(bench.View(103).remaining, 59);
  EXPECT_EQ(bench.View(103).reset_at, At(200));
}

TEST(LedgerTest, WithinAFixedWindowTheLowestRemainingWins) {
  Bench bench;
  bench.Tell({10, {}, 2, {.limit = 60, .remaining = 40, .reset = 100}});
  bench.Tell({11, {}, 3, {.limit = 60, .remaining = 41, .reset = 100}});
  bench.Tell({12, {}, 1, {.limit = 60, .remaining = 42, .reset = 100}});
  EXPECT_EQ(bench.View(13).remaining, 40);
}

TEST(LedgerTest, WithinAFixedWindowTheHighestUsedWins) {
  Bench bench;
  bench.Say(10, {.used = 5, .reset = 100});
  bench.Say(11, {.used = 4, .reset = 100});
  EXPECT_EQ(bench.View(12).used, 5);
}

TEST(LedgerTest, AResetThatWobblesWithinTheSkewIsTheSameWindow) {
  Bench bench;
  bench.Say(10, {.limit = 60, .remaining = 40, .reset = 100, .absolute = false});
  bench.Say(11, {.limit = 60, .remaining = 41, .reset = 101.5, .absolute = false});
  EXPECT_EQ(bench.View(12).remaining, 40);
}

TEST(LedgerTest, AOneSecondWindowRollsOver) {
  Bench bench;
  bench.Say(0.1, {.limit = 5, .remaining = 0, .reset = 1, .window = 1});
  bench.Say(1.2, {.limit = 5, .remaining = 4, .reset = 2, .window = 1});
  EXPECT_EQ(bench.View(1.3).remaining, 4);
}

TEST(LedgerTest, ASlowAnswersTimeLeftIsNoOtherWindow) {
  Bench bench;
  const auto say = [&](double sent, double received, double left, double until) {
    bench.Tell(
        {received,
         {},
         ++bench.order,
         {.limit = 100, .remaining = left, .reset = received + until, .absolute = false, .assumed = true},
         "ci",
         "api",
         sent});
  };
  say(50, 50, 95, 10);
  say(50.5, 58, 94, 9.5);
  say(51, 59, 93, 9);
  say(59, 59, 90, 1);
  say(59.5, 60.5, 91, 0.5);
  EXPECT_EQ(bench.View(60.5).kind, QuotaKind::kFixed);
  EXPECT_EQ(bench.View(60.5).consumed_total, 5);
  EXPECT_EQ(bench.View(60.5).remaining, 90);
}

TEST(LedgerTest, AFixedWindowWithoutAResetRollsOverWhenItsLengthHasPassed) {
  Bench bench;
  bench.Say(0, {.limit = 20, .remaining = 3, .window = 60});
  bench.Say(61, {.limit = 20, .remaining = 19, .window = 60});
  EXPECT_EQ(bench.View(62).remaining, 19);
  EXPECT_EQ(bench.View(62).consumed_total, 1);
}

TEST(LedgerTest, WithoutResetAndWindowALastingRiseIsANewWindow) {
  Bench bench;
  bench.Tell({0, 0, 1, {.limit = 20, .remaining = 3}});
  bench.Tell({1, 1, 2, {.limit = 20, .remaining = 4}});  // overtaken
  EXPECT_EQ(bench.View(1).remaining, 3);
  bench.Tell({30, 30, 3, {.limit = 20, .remaining = 18}});
  EXPECT_EQ(bench.View(31).remaining, 18);
}

TEST(LedgerTest, OfRequestsUnderWayAtOnceTheNewestDateIsBelieved) {
  Bench bench;
  const auto tell = [&](double received, double date, uint64_t order, double remaining) {
    bench.Tell(
        {received, date, order, {.limit = 60, .remaining = remaining, .kind = kBucket}, "ci", "api", 9});
  };
  tell(10, 10, 1, 40);
  tell(11, 9, 2, 20);
  EXPECT_EQ(bench.View(12).remaining, 40);
  tell(13, 12, 3, 50);
  EXPECT_EQ(bench.View(14).remaining, 50);
}

TEST(LedgerTest, ARequestSentAfterTheOthersResponseIsNewerWhateverItsDateSays) {
  Bench bench;
  bench.Tell({10, 10, 1, {.limit = 60, .remaining = 40, .kind = kBucket}});
  bench.Tell({12, 9, 2, {.limit = 60, .remaining = 20, .kind = kBucket}, "ci", "api", 11});
  EXPECT_EQ(bench.View(13).remaining, 20);
}

TEST(LedgerTest, WithinOneDateTheOrderOfRequestsDecides) {
  Bench bench;
  bench.Tell({10.1, 10, 2, {.limit = 60, .remaining = 40, .kind = kBucket}});
  bench.Tell({10.2, 10, 1, {.limit = 60, .remaining = 41, .kind = kBucket}});
  EXPECT_EQ(bench.View(11).remaining, 40);
}

TEST(LedgerTest, AnInsaneDateOrdersNothing) {
  Bench bench;
  bench.Tell({10, 400'000, 1, {.limit = 60, .remaining = 40, .kind = kBucket}});
  bench.Tell({11, 11, 2, {.limit = 60, .remaining = 39, .kind = kBucket}});
  EXPECT_EQ(bench.View(12).remaining, 39);
}

TEST(LedgerTest, FieldsMergeWithinAWindow) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .reset = 100, .window = 100});
  bench.Say(1, {.remaining = 49});
  const QuotaView view = bench.View(2);
  EXPECT_EQ(view.limit, 60);
  EXPECT_EQ(view.remaining, 49);
  EXPECT_EQ(view.used, 11);
  EXPECT_EQ(view.reset_at, At(100));
  EXPECT_EQ(view.window_seconds, 100);
  EXPECT_EQ(view.derived, (SignalFields{SignalField::kUsed}));
}

TEST(LedgerTest, FieldsDoNotMergeAcrossWindows) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 50, .reset = 100});
  bench.Say(150, {.remaining = 49, .reset = 200});
  EXPECT_EQ(bench.View(151).limit, std::nullopt);
  EXPECT_EQ(bench.View(151).remaining, 49);
}

TEST(LedgerTest, ALateReadingFillsWhatTheNewestDidNotSay) {
  Bench bench;
  bench.Tell({10, {}, 2, {.remaining = 40, .kind = kBucket}});
  bench.Tell({11, {}, 1, {.limit = 60, .remaining = 45, .kind = kBucket}});
  EXPECT_EQ(bench.View(12).limit, 60);
  EXPECT_EQ(bench.View(12).remaining, 40);
}

TEST(LedgerTest, EachKeyResourceAndQuotaHasItsOwnState) {
  Bench bench;
  bench.Tell({0, {}, 1, {.remaining = 1, .resource = "b"}, "k1"});
  bench.Tell({0, {}, 2, {.remaining = 2, .resource = "a"}, "k1"});
  bench.Tell({0, {}, 3, {.remaining = 3, .resource = "a", .quota = "tokens"}, "k1"});
  bench.Tell({0, {}, 4, {.remaining = 4, .resource = "a"}, "k2"});
  bench.Tell({0, {}, 5, {.remaining = 5, .resource = "a"}, "k1", "aaa"});
  std::vector<double> remaining;
  for (const QuotaView& view : bench.ledger.Read(At(1)).quotas)
    remaining.push_back(view.remaining.value_or(-1));
  EXPECT_THAT(remaining, ElementsAre(5, 2, 3, 1, 4));  // sorted by id
}

TEST(LedgerTest, AChangedLimitIsAnEventAndACounter) {
  Bench bench;
  EXPECT_THAT(bench.Say(0, {.limit = 60, .remaining = 50, .reset = 100}).limit_changes, IsEmpty());
  const ObserveResult result = bench.Say(1, {.limit = 5000, .remaining = 4900, .reset = 100});
  ASSERT_EQ(result.limit_changes.size(), 1u);
  EXPECT_EQ(result.limit_changes[0].id, (QuotaId{"api", "ci", "", "requests", "requests"}));
  EXPECT_EQ(result.limit_changes[0].before, 60);
  EXPECT_EQ(result.limit_changes[0].after, 5000);
  const QuotaView view = bench.View(2);
  EXPECT_EQ(view.limit_changes_total, 1);
  EXPECT_EQ(view.remaining, 4900);
  EXPECT_EQ(view.consumed_total, 0);
}

TEST(LedgerTest, ALateAnswerOfTheOldPlanChangesNothing) {
  Bench bench;
  bench.Tell({0, {}, 1, {.limit = 60, .remaining = 50, .reset = 100}});
  bench.Tell({1, {}, 3, {.limit = 5000, .remaining = 4900, .reset = 100}});
  bench.Tell({2, {}, 2, {.limit = 60, .remaining = 49, .reset = 100}});
  EXPECT_EQ(bench.View(3).limit, 5000);
  EXPECT_EQ(bench.View(3).remaining, 4900);
  EXPECT_EQ(bench.View(3).limit_changes_total, 1);
}

TEST(LedgerTest, AConcurrencyQuotaFollowsTheNewestReading) {
  Bench bench;
  bench.Say(0, {.limit = 10, .remaining = 2, .kind = QuotaKind::kConcurrency});
  bench.Say(1, {.limit = 10, .remaining = 9, .kind = QuotaKind::kConcurrency});
  EXPECT_EQ(bench.View(2).remaining, 9);
  EXPECT_EQ(bench.View(2).consumed_total, 0);
}

}  // namespace
}  // namespace apiquota::quota
