// What survives a restart (docs/quota-semantics.md rule 14).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

constexpr double kDay = 86'400;

TEST(LedgerRestoreTest, ReadingsSurviveCountersStartAtZero) {
  Bench before;
  before.Tell({0, 0, 1, {.limit = 60, .remaining = 40, .reset = 1000, .window = 1200, .resource = "core"}});
  before.Tell({1, 1, 2, {.limit = 50, .remaining = 30, .reset = 1000, .window = 1200, .resource = "core"}});
  EXPECT_EQ(before.View(2).limit_changes_total, 1);

  Bench after;
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(10)));
  const QuotaView view = after.View(11);
  EXPECT_EQ(view.id, (QuotaId{"api", "ci", "core", "requests", "requests"}));
  EXPECT_EQ(view.exporter, "generic");
  EXPECT_EQ(view.limit, 50);
  EXPECT_EQ(view.remaining, 30);
  EXPECT_EQ(view.reset_at, At(1000));
  EXPECT_EQ(view.window_seconds, 1200);
  EXPECT_EQ(view.observed_at, At(1));
  EXPECT_EQ(view.consumed_total, 0);
  EXPECT_EQ(view.limit_changes_total, 0);
}

TEST(LedgerRestoreTest, WhatWasRestoredGoesOnLikeAnyReading) {
  Bench before;
  before.Say(0, {.limit = 60, .remaining = 40, .reset = 1000});
  Bench after;
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(10)));
  after.Say(11, {.limit = 60, .remaining = 45, .reset = 1000});  // an answer overtaken before the restart
  EXPECT_EQ(after.View(12).remaining, 40);
  after.Say(13, {.limit = 60, .remaining = 35, .reset = 1000});
  EXPECT_EQ(after.View(14).remaining, 35);
  EXPECT_EQ(after.View(1001).remaining, std::nullopt);
}

TEST(LedgerRestoreTest, SavingWhatWasRestoredGivesTheSameText) {
  Bench before;
  before.Say(0, {.limit = 60, .remaining = 40.25, .reset = 1000, .window = 60, .kind = QuotaKind::kBucket});
  before.Say(0, {.used = 7, .resource = "b"});
  const std::string text = before.ledger.Save(At(2));
  Bench after;
  ASSERT_TRUE(after.ledger.Restore(text, At(3)));
  EXPECT_EQ(after.ledger.Save(At(4)), text);
}

TEST(LedgerRestoreTest, HowFarAClockIsOffIsKeptUntilAnswersAgreeAgain) {
  for (const double ahead : {7200.0, -7200.0}) {
    for (const QuotaKind kind : {QuotaKind::kFixed, QuotaKind::kSliding}) {
      Bench before;
      for (uint64_t t = 0; t < 3; ++t) {
        const auto at = static_cast<double>(t);
        before.Tell({at,
                     at + ahead,
                     t + 1,
                     {.limit = 60, .remaining = 40 - at, .reset = ahead + 600 + at, .kind = kind}});
      }
      ASSERT_EQ(before.View(3).remaining, 38);
      Bench after;
      ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(3)), At(4)));
      after.Tell({5, 5, 1, {.limit = 60, .remaining = 30, .reset = ahead + 602, .kind = kind}});
      EXPECT_EQ(after.View(6).remaining, 30);
      EXPECT_NEAR(ToSeconds(*after.View(6).reset_at - At(602)), 0, 2);
    }
  }
}

TEST(LedgerRestoreTest, WhichRuleSpeaksOfAQuotaIsKept) {
  const auto said = [](uint16_t family, double limit, const std::string& quota) {
    provider::Reading reading = ReadingOf({.limit = limit, .remaining = 1, .reset = 600, .quota = quota});
    reading.source = {family, quota != "requests"};
    return reading;
  };
  const auto tell = [](Bench* bench, double t, const std::vector<provider::Reading>& readings) {
    bench->Observe(readings, t);
  };
  Bench before;
  tell(&before, 1, {said(0, 100, "requests"), said(1, 1000, "requests-2")});
  Bench after;
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(3)));
  tell(&after, 4, {said(1, 1000, "requests")});  // alone in its response
  const Snapshot snapshot = after.ledger.Read(At(5));
  ASSERT_EQ(snapshot.quotas.size(), 2);
  EXPECT_EQ(snapshot.quotas[0].limit, 100);
  EXPECT_EQ(snapshot.quotas[1].limit, 1000);
}

TEST(LedgerRestoreTest, WhatWasObservedSinceTheStartIsKept) {
  Bench before;
  before.Say(0, {.limit = 60, .remaining = 40, .reset = 1000});
  Bench after;
  after.Say(5, {.limit = 60, .remaining = 20, .reset = 1000});
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(10)));
  EXPECT_EQ(after.View(11).remaining, 20);
}

TEST(LedgerRestoreTest, WhatExpiredMoreThanADayAgoIsLeftOut) {
  Bench before;
  before.Say(0, {.limit = 60, .remaining = 40, .reset = 1000});
  Bench after;
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(1000 + kDay)));
  EXPECT_EQ(after.ledger.Read(At(1000)).quotas.size(), 0u);
}

TEST(LedgerRestoreTest, TheCapsHoldForRestoredReadingsToo) {
  Bench before;
  for (const char* key : {"k1", "k2", "k3"}) before.Tell({0, {}, 1, {.remaining = 1}, key});
  Bench after({.quotas_max = 2});
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(3)));
  EXPECT_EQ(after.ledger.Read(At(4)).quotas.size(), 2u);
}

TEST(LedgerRestoreTest, WhatTheConfigurationNoLongerNamesIsLeftOut) {
  Bench before;
  for (const char* key : {"ci", "old", "hmac:1"}) before.Tell({0, {}, 1, {.remaining = 1}, key});
  before.Tell({0, {}, 1, {.remaining = 1}, "ci", "gone"});
  Bench after;
  after.ledger.Configure(Names({{"api", {"ci"}, {}}}));
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(2)), At(3)));
  EXPECT_EQ(QuotasOf(after.ledger.Read(At(4)), "api", "gone"), std::pair(2ul, 0ul));
  EXPECT_EQ(after.ledger.Save(At(4)).find("old"), std::string::npos);
}

TEST(LedgerRestoreTest, WhatCannotBeReadWholeChangesNothing) {
  Bench before;
  before.Say(0, {.limit = 60, .remaining = 40, .reset = 1000});
  // As version 1 wrote it: members that are wrong although no checksum says so.
  nlohmann::json good = nlohmann::json::parse(before.ledger.Save(At(2)))["saved"];
  good["version"] = 1;
  const auto with = [&](const char* name, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad["quotas"].push_back(good["quotas"][0]);
    bad["quotas"][1]["resource"] = "other";
    bad["quotas"][1][name] = value;
    return bad.dump();
  };
  nlohmann::json later = good;
  later["version"] = 2;
  nlohmann::json missing = good;
  missing["quotas"][0].erase("kind");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "the saved readings are not JSON"},
      {good.dump().substr(0, 100), "the saved readings are not JSON"},
      {"[]", "the saved readings have no quotas"},
      {later.dump(), "the saved readings are damaged, or of another version than 1 and 2"},
      {R"({"version": 1, "quotas": {}})", "the saved readings' quotas are not a list"},
      {R"({"version": 1, "quotas": [7]})", "saved reading 1: is not an object"},
      {missing.dump(), "saved reading 1: kind is missing"},
      {with("kind", "tidal"), "saved reading 2: kind is unknown"},
      {with("api", 7), "saved reading 2: api is not a text"},
      {with("limit", "60"), "saved reading 2: limit is not a number"},
      {with("window_seconds", -1), "saved reading 2: window_seconds is out of range"},
      {with("reset_at", 1.5), "saved reading 2: reset_at is not a time"},
      {with("received_at", -1), "saved reading 2: received_at is not a time"},
      {with("derived", 1 << 20), "saved reading 2: derived is not a set of fields"},
      {with("end_absolute", 1), "saved reading 2: end_absolute is not true or false"},
      {with("colour", "red"), "saved reading 2: has an unknown field"}};
  for (const auto& [text, message] : cases) {
    Bench after;
    after.Say(1, {.remaining = 5});
    const Status status = after.ledger.Restore(text, At(10));
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().message, message);
    EXPECT_EQ(after.View(11).remaining, 5);
  }
}

}  // namespace
}  // namespace apiquota::quota
