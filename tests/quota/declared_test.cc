#include "quota/declared.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quota/ledger.h"

namespace apiquota::quota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const SystemTime kStart{seconds(1'700'000'000)};
const DeclaredApi kSlack{"slack", "slack", {"bot"}, {{"requests", 10, seconds(60)}}};

QuotaView Only(const Snapshot& snapshot) {
  EXPECT_EQ(snapshot.quotas.size(), 1u);
  return snapshot.quotas.empty() ? QuotaView{} : snapshot.quotas.front();
}

class DeclaredTest : public testing::Test {
 protected:
  DeclaredTest() { limits().Configure({kSlack}, kStart); }

  DeclaredLimits& limits() { return ledger_.declared(); }
  void Send(int times, SystemTime at, const std::string& key = "bot") {
    const auto counter = limits().CounterFor("slack", key, at);
    for (int i = 0; i < times; ++i) counter->Count(at);
  }
  void Say(const std::string& quota, SystemTime at) {
    provider::Reading reading;
    reading.resource = "chat";
    reading.quota = quota;
    reading.unit = "requests";
    reading.limit = 99;
    reading.remaining = 98;
    ledger_.Observe({.api = "slack",
                     .key = "bot",
                     .exporter = "slack",
                     .received_at = at,
                     .date = {},
                     .order = 1,
                     .readings = {&reading, 1}},
                    at);
  }

  Ledger ledger_{LedgerOptions{}};
};

TEST_F(DeclaredTest, WhatWasSentBeforeTheAgentBeganIsUnknown) {
  Send(3, kStart);
  const QuotaView view = Only(ledger_.Read(kStart + milliseconds(59'999)));
  EXPECT_EQ(view.id, (QuotaId{"slack", "bot", "", "requests", "requests"}));
  EXPECT_EQ(view.exporter, "slack");
  EXPECT_EQ(view.kind, provider::QuotaKind::kSliding);
  EXPECT_TRUE(view.declared);
  EXPECT_TRUE(view.valid);
  EXPECT_EQ(view.limit, 10);
  EXPECT_EQ(view.window_seconds, 60);
  EXPECT_EQ(view.remaining, std::nullopt);
  EXPECT_EQ(view.used, std::nullopt);
  EXPECT_EQ(view.used_ratio, std::nullopt);
  EXPECT_EQ(view.reset_at, std::nullopt);
  EXPECT_EQ(view.consumed_total, 3);
}

TEST_F(DeclaredTest, OnceAWindowHasBeenCountedWhatIsLeftIsShown) {
  Send(3, kStart + seconds(30));
  const QuotaView view = Only(ledger_.Read(kStart + seconds(60)));
  EXPECT_EQ(view.remaining, 7);
  EXPECT_EQ(view.used, 3);
  EXPECT_EQ(view.used_ratio, 0.3);
  EXPECT_EQ(view.reset_at, kStart + seconds(91));
  EXPECT_EQ(view.observed_at, kStart + seconds(60));
}

TEST_F(DeclaredTest, AClockSetBackByHoursHidesWhatIsLeftForOneWindowOnly) {
  Send(3, kStart + seconds(30));
  const SystemTime back = kStart - hours(1);
  EXPECT_EQ(Only(ledger_.Read(back)).remaining, std::nullopt);
  Send(1, back + seconds(50));
  EXPECT_EQ(Only(ledger_.Read(back + seconds(70))).remaining, 6);
  EXPECT_EQ(Only(ledger_.Read(back + seconds(120))).remaining, 10);
}

TEST_F(DeclaredTest, AnIdleKeyHasAllThatIsDeclared) {
  const QuotaView view = Only(ledger_.Read(kStart + hours(1)));
  EXPECT_EQ(view.remaining, 10);
  EXPECT_EQ(view.used, 0);
  EXPECT_EQ(view.used_ratio, 0);
  EXPECT_EQ(view.reset_at, std::nullopt) << "there is nothing to come back";
}

TEST_F(DeclaredTest, MoreThanDeclaredIsNoNegativeRemainder) {
  Send(15, kStart + seconds(50));
  const QuotaView view = Only(ledger_.Read(kStart + seconds(60)));
  EXPECT_EQ(view.remaining, 0);
  EXPECT_EQ(view.used, 15);
  EXPECT_EQ(view.used_ratio, 1.5);
}

TEST_F(DeclaredTest, RequestsLeaveTheWindowByThemselves) {
  Send(4, kStart + seconds(30));
  Send(2, kStart + seconds(60));
  EXPECT_EQ(Only(ledger_.Read(kStart + milliseconds(90'999))).used, 6);
  EXPECT_EQ(Only(ledger_.Read(kStart + seconds(91))).used, 2);
  EXPECT_EQ(Only(ledger_.Read(kStart + seconds(121))).used, 0);
  EXPECT_EQ(Only(ledger_.Read(kStart + seconds(121))).consumed_total, 6);
}

TEST_F(DeclaredTest, ShortWindowsLeaveTheirPeak) {
  Send(9, kStart + seconds(30));
  Send(10, kStart + minutes(2));
  Send(1, kStart + minutes(4));
  const QuotaView view = Only(ledger_.Read(kStart + minutes(4)));
  EXPECT_EQ(view.window_peaks->counts, (std::array<uint64_t, 6>{0, 0, 1, 0, 0, 1}));
  EXPECT_EQ(view.windows_exhausted_total, 1u);
}

TEST_F(DeclaredTest, EachKeyIsCountedByItself) {
  Send(1, kStart + seconds(50));
  Send(2, kStart + seconds(50), "hmac:00000001");
  const Snapshot snapshot = ledger_.Read(kStart + seconds(60));
  ASSERT_EQ(snapshot.quotas.size(), 2u);
  EXPECT_EQ(snapshot.quotas[0].id.key, "bot");
  EXPECT_EQ(snapshot.quotas[0].used, 1);
  EXPECT_EQ(snapshot.quotas[1].id.key, "hmac:00000001");
  EXPECT_EQ(snapshot.quotas[1].used, 2) << "all of it: it would have been counted before, too";
}

TEST_F(DeclaredTest, TheApisOwnWordWins) {
  Send(3, kStart + seconds(50));
  Say("requests", kStart + seconds(55));
  const QuotaView view = Only(ledger_.Read(kStart + seconds(60)));
  EXPECT_FALSE(view.declared);
  EXPECT_EQ(view.remaining, 98);
}

TEST_F(DeclaredTest, TheApisWordHidesTheDeclaredLimitOnlyAsLongAsItHolds) {
  Say("requests", kStart);
  EXPECT_FALSE(Only(ledger_.Read(kStart + seconds(1))).declared);
  Send(3, kStart + minutes(20));
  const Snapshot later = ledger_.Read(kStart + minutes(20));
  const auto declared = std::ranges::find(later.quotas, true, &QuotaView::declared);
  ASSERT_NE(declared, later.quotas.end());
  EXPECT_EQ(declared->remaining, 7);
}

TEST_F(DeclaredTest, AnotherQuotaOfTheApiStandsBesideIt) {
  Say("burst", kStart + seconds(55));
  EXPECT_EQ(ledger_.Read(kStart + seconds(60)).quotas.size(), 2u);
}

TEST_F(DeclaredTest, OtherApisAreNotCounted) {
  EXPECT_EQ(limits().CounterFor("github", "ci", kStart), nullptr);
}

TEST_F(DeclaredTest, AReloadKeepsTheCountsOfWhatStays) {
  const auto counter = limits().CounterFor("slack", "bot", kStart);
  Send(3, kStart + seconds(55));
  DeclaredApi changed = kSlack;
  changed.limits = {{"requests", 20, seconds(60)}, {"daily", 100, hours(24)}};
  limits().Configure({changed}, kStart + seconds(58));
  counter->Count(kStart + seconds(59));  // by a connection that was there before
  const Snapshot snapshot = ledger_.Read(kStart + seconds(60));
  ASSERT_EQ(snapshot.quotas.size(), 2u);
  EXPECT_EQ(snapshot.quotas[0].id.quota, "daily");
  EXPECT_EQ(snapshot.quotas[0].remaining, std::nullopt) << "no whole day has been counted";
  EXPECT_EQ(snapshot.quotas[0].consumed_total, 1);
  EXPECT_EQ(snapshot.quotas[1].remaining, 16);
  limits().Configure({}, kStart + seconds(61));
  EXPECT_TRUE(ledger_.Read(kStart + seconds(62)).quotas.empty());
  counter->Count(kStart + seconds(63));
}

TEST_F(DeclaredTest, ARestartGoesOnCounting) {
  Send(3, kStart + seconds(50));
  Send(1, kStart + seconds(50), "hmac:00000001");
  const std::string saved = ledger_.Save(kStart + seconds(55));
  Ledger again{LedgerOptions{}};
  again.declared().Configure({kSlack}, kStart + seconds(58));
  ASSERT_TRUE(again.Restore(saved, kStart + seconds(58)));
  const Snapshot snapshot = again.Read(kStart + seconds(60));
  ASSERT_EQ(snapshot.quotas.size(), 2u);
  EXPECT_EQ(snapshot.quotas[0].used, 3);
  EXPECT_EQ(snapshot.quotas[0].consumed_total, 0) << "counters start with the process";
  EXPECT_EQ(snapshot.quotas[1].used, 1);
}

TEST_F(DeclaredTest, CountsThatCannotBeReadLeaveTheLedgerAsItIs) {
  const std::string head = R"({"version": 1, "quotas": [], "counts": )";
  const std::string good = R"("api": "slack", "key": "bot", "quota": "requests", "since": 1)";
  for (const std::string& counts :
       {std::string("7}"), std::string("[7]}"), "[{" + good + R"(, "window": 60000000}]})",
        "[{" + good + R"(, "window": -1, "parts": []}]})",
        "[{" + good + R"(, "window": 60000000, "parts": [[1]]}]})",
        "[{" + good + R"(, "window": 60000000, "parts": [[1, -1]]}]})",
        "[{" + good + R"(, "window": 60000000, "parts": [], "more": 1}]})"}) {
    EXPECT_FALSE(ledger_.Restore(head + counts, kStart)) << counts;
  }
  EXPECT_TRUE(ledger_.Restore(head + "[{" + good + R"(, "window": 60000000, "parts": [[1, 1]]}]})", kStart));
}

TEST(DeclaredBoundsTest, KeysMetAtRunTimeAreBounded) {
  DeclaredLimits limits(2);
  limits.Configure({kSlack}, kStart);
  auto first = limits.CounterFor("slack", "hmac:1", kStart);
  first->Count(kStart);
  EXPECT_NE(limits.CounterFor("slack", "hmac:2", kStart), nullptr);
  EXPECT_NE(limits.CounterFor("slack", "hmac:3", kStart), nullptr) << "the second counted nothing: forgotten";
  EXPECT_NE(limits.CounterFor("slack", "bot", kStart), nullptr) << "configured keys don't count";
  const auto third = limits.CounterFor("slack", "hmac:3", kStart);
  EXPECT_EQ(limits.CounterFor("slack", "hmac:4", kStart), nullptr);
  first.reset();
  EXPECT_EQ(limits.CounterFor("slack", "hmac:4", kStart + seconds(30)), nullptr) << "something is counted";
  EXPECT_NE(limits.CounterFor("slack", "hmac:4", kStart + seconds(61)), nullptr);
}

TEST(DeclaredBoundsTest, KeysThatAreNoLongerConfiguredAreForgotten) {
  DeclaredLimits limits(2);
  limits.Configure({kSlack}, kStart);
  limits.CounterFor("slack", "hmac:1", kStart)->Count(kStart);
  DeclaredApi renamed = kSlack;
  renamed.keys = {"robot"};
  limits.Configure({renamed}, kStart);
  EXPECT_EQ(limits.CounterFor("slack", "bot", kStart), nullptr);
  std::vector<std::string> keys;
  for (const SavedCount& count : limits.Save(kStart)) keys.push_back(count.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"hmac:1", "robot"}));
}

TEST(DeclaredBoundsTest, KeysMetAtRunTimeTakeTheirSeriesAndGiveThemBack) {
  constexpr size_t kOne = kSeriesPerQuota + kSeriesPerPeaks;
  FairShares series(2 * kOne);
  DeclaredLimits limits(1, &series);
  limits.Configure({kSlack}, kStart);
  EXPECT_EQ(series.taken(), kOne) << "what is configured";
  EXPECT_NE(limits.CounterFor("slack", "hmac:1", kStart), nullptr);
  EXPECT_EQ(series.taken(), 2 * kOne);
  EXPECT_NE(limits.CounterFor("slack", "hmac:2", kStart), nullptr) << "in the place of the first";
  EXPECT_EQ(series.taken(), 2 * kOne);
  DeclaredApi another = kSlack;
  another.keys.push_back("second");
  limits.Configure({another}, kStart);
  EXPECT_EQ(series.taken(), 3 * kOne) << "configured ones are shown although there is no room";
  limits.Configure({}, kStart);
  EXPECT_EQ(series.taken(), 0u);
}

TEST(DeclaredBoundsTest, WithoutRoomForItsSeriesAKeyIsNotCounted) {
  FairShares series(kSeriesPerQuota + kSeriesPerPeaks);
  DeclaredLimits limits(10, &series);
  limits.Configure({kSlack}, kStart);
  EXPECT_EQ(limits.CounterFor("slack", "hmac:1", kStart), nullptr);
  EXPECT_NE(limits.CounterFor("slack", "bot", kStart), nullptr);
}

}  // namespace
}  // namespace apiquota::quota
