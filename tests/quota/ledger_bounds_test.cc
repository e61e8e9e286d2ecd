// How many quotas a ledger keeps and how long (docs/quota-semantics.md rules 1 and 14).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using testing::ElementsAre;

constexpr double kDay = 86'400;

std::vector<std::string> Resources(const Snapshot& snapshot) {
  std::vector<std::string> resources;
  for (const QuotaView& view : snapshot.quotas) resources.push_back(view.id.resource);
  return resources;
}

TEST(LedgerBoundsTest, BeyondTheResourcesOfAKeyReadingsAreDroppedNeverMerged) {
  Bench bench({.resources_per_key_max = 2});
  bench.Say(0, {.remaining = 1, .resource = "a"});
  bench.Say(0, {.remaining = 2, .resource = "b"});
  bench.Say(0, {.remaining = 3, .resource = "c"});
  bench.Say(0, {.remaining = 4, .resource = "a", .quota = "tokens"});  // another quota of a known resource
  bench.Tell({0, {}, 9, {.remaining = 5, .resource = "c"}, "another key"});
  const Snapshot snapshot = bench.ledger.Read(At(1));
  EXPECT_THAT(Resources(snapshot), ElementsAre("c", "a", "a", "b"));
  EXPECT_EQ(snapshot.dropped_total, 1);
}

TEST(LedgerBoundsTest, BeyondTheQuotasOfAResourceReadingsAreDropped) {
  Bench bench({.quotas_per_resource_max = 2});
  for (const char* quota : {"one", "two", "three"}) {
    bench.Say(0, {.remaining = 1, .resource = "a", .quota = quota});
  }
  bench.Say(0, {.remaining = 1, .resource = "b", .quota = "three"});
  const Snapshot snapshot = bench.ledger.Read(At(1));
  EXPECT_THAT(Resources(snapshot), ElementsAre("a", "a", "b"));
  EXPECT_EQ(snapshot.dropped_total, 1);
}

TEST(LedgerBoundsTest, BeyondTheFingerprintsOfAnApiReadingsAreDropped) {
  Bench bench({.keys_per_api_max = 2});
  for (const char* key : {"hmac:1", "hmac:2", "hmac:3", "alias-1", "alias-2", "alias-3", "anonymous"}) {
    bench.Tell({0, {}, ++bench.order, {.remaining = 1}, key});
  }
  bench.Tell({0, {}, ++bench.order, {.remaining = 1}, "hmac:3", "another api"});
  std::vector<std::string> keys;
  const Snapshot snapshot = bench.ledger.Read(At(1));
  for (const QuotaView& view : snapshot.quotas) keys.push_back(view.id.key);
  EXPECT_THAT(keys, ElementsAre("hmac:3", "alias-1", "alias-2", "alias-3", "anonymous", "hmac:1", "hmac:2"));
  EXPECT_EQ(snapshot.dropped_total, 1);
}

TEST(LedgerBoundsTest, BeyondTheQuotasOfTheLedgerReadingsAreDropped) {
  Bench bench({.quotas_max = 2});
  for (const char* key : {"k1", "k2", "k3"}) bench.Tell({0, {}, ++bench.order, {.remaining = 1}, key});
  EXPECT_EQ(bench.ledger.Read(At(1)).quotas.size(), 2u);
  EXPECT_EQ(bench.ledger.Read(At(1)).dropped_total, 1);
}

void Flood(Bench& bench, const char* api, int quotas, double window) {
  for (int i = 0; i < quotas; ++i) {
    const std::string key = "hmac:" + std::to_string(i % 40);
    const std::string resource = "model-" + std::to_string(i / 40);
    bench.Tell({0, {}, ++bench.order, {.remaining = 1, .window = window, .resource = resource}, key, api});
  }
}

TEST(LedgerBoundsTest, AFloodOfOneApiDoesNotPushAnothersQuotasOut) {
  Bench bench({.quotas_max = 100});
  bench.ledger.Configure(Names({{"flooded", {}, {}}, {"quiet", {}, {}}}));
  Flood(bench, "flooded", 1000, 3600);
  Flood(bench, "quiet", 25, 3600);
  EXPECT_EQ(QuotasOf(bench.ledger.Read(At(1)), "flooded", "quiet"), std::pair(75ul, 25ul));
}

TEST(LedgerBoundsTest, QuotasAndTheirPeaksComeOutOfTheSeriesOfAll) {
  FairShares series(20 * (kSeriesPerQuota + kSeriesPerPeaks));
  Bench bench({}, &series);
  bench.ledger.Configure(Names({{"flooded", {}, {}}}));
  Flood(bench, "flooded", 1000, 60);
  const Snapshot snapshot = bench.ledger.Read(At(1));
  EXPECT_EQ(snapshot.quotas.size(), 20u);
  EXPECT_EQ(snapshot.dropped_total, 980u);
  EXPECT_EQ(series.taken(), 20 * (kSeriesPerQuota + kSeriesPerPeaks));
}

TEST(LedgerBoundsTest, WithoutRoomForItsPeaksAQuotaIsShownWithoutThem) {
  FairShares series(kSeriesPerQuota + 1);
  Bench bench({}, &series);
  EXPECT_EQ(bench.Say(0, {.remaining = 1, .window = 60}).dropped, 1u);
  EXPECT_EQ(bench.Say(1, {.remaining = 1, .window = 60}).dropped, 0u) << "told once";
  EXPECT_EQ(bench.View(2).remaining, 1);
  EXPECT_EQ(bench.View(2).window_peaks, std::nullopt);
}

TEST(LedgerBoundsTest, AQuotaThatIsFreedGivesItsSeriesBack) {
  FairShares series(1000);
  Bench bench({}, &series);
  bench.Say(0, {.remaining = 1, .reset = 60, .window = 60});
  EXPECT_EQ(series.taken(), kSeriesPerQuota + kSeriesPerPeaks);
  EXPECT_EQ(bench.ledger.Read(At(60 + kDay)).quotas.size(), 0u);
  EXPECT_EQ(series.taken(), 0u);
}

TEST(LedgerBoundsTest, WhatTheConfigurationNoLongerNamesIsForgotten) {
  FairShares series(1000);
  Bench bench({}, &series);
  bench.ledger.Configure(Names({{"api", {"ci", "web"}, {}}, {"gone", {}, {}}}));
  for (const char* key : {"ci", "web", "hmac:1", "anonymous"}) bench.Tell({0, {}, 1, {.remaining = 1}, key});
  bench.Tell({0, {}, 1, {.remaining = 1}, "anonymous", "gone"});
  bench.ledger.Configure(Names({{"api", {"web"}, {}}}));
  const auto keys = [&] {
    std::vector<std::string> all;
    for (const QuotaView& view : bench.ledger.Read(At(1)).quotas) all.push_back(view.id.key);
    return all;
  };
  EXPECT_THAT(keys(), ElementsAre("anonymous", "hmac:1", "web"));
  EXPECT_EQ(series.taken(), 3 * kSeriesPerQuota);
  bench.Tell({1, {}, 2, {.remaining = 1}, "ci"});
  bench.Tell({1, {}, 2, {.remaining = 1}, "anonymous", "gone"});
  EXPECT_THAT(keys(), ElementsAre("anonymous", "hmac:1", "web")) << "an answer under way brings nothing back";
  EXPECT_EQ(bench.ledger.Read(At(1)).dropped_total, 0u);
  EXPECT_EQ(bench.ledger.Save(At(1)).find("gone"), std::string::npos);
}

TEST(LedgerBoundsTest, AFullLedgerFreesWhatHasBeenSilentForExpireAfter) {
  Bench bench({.expire_after = std::chrono::minutes(15), .resources_per_key_max = 1});
  bench.Say(0, {.remaining = 1, .reset = 60, .resource = "a"});
  bench.Say(100, {.remaining = 1, .reset = 200, .resource = "b"});  // expired, but not for long
  EXPECT_THAT(Resources(bench.ledger.Read(At(101))), ElementsAre("a"));
  bench.Say(60 + 900, {.remaining = 1, .reset = 2000, .resource = "b"});
  EXPECT_THAT(Resources(bench.ledger.Read(At(961))), ElementsAre("b"));
}

TEST(LedgerBoundsTest, ASlotIsFreedADayAfterItsReadingExpired) {
  Bench bench;
  bench.Say(0, {.remaining = 1, .reset = 60});
  EXPECT_EQ(bench.ledger.Read(At(59 + kDay)).quotas.size(), 1u);
  EXPECT_EQ(bench.ledger.Read(At(60 + kDay)).quotas.size(), 0u);
}

TEST(LedgerBoundsTest, AFingerprintIsFreedWithItsLastQuota) {
  Bench bench({.keys_per_api_max = 1});
  bench.Tell({0, {}, 1, {.remaining = 1, .reset = 60}, "hmac:1"});
  bench.Tell({2000, {}, 2, {.remaining = 2, .reset = 3000}, "hmac:2"});
  EXPECT_EQ(bench.View(2001).id.key, "hmac:2");
}

TEST(LedgerBoundsTest, AnotherKindUnderTheSameNameStartsOver) {
  Bench bench;
  bench.Say(0, {.limit = 60, .remaining = 10, .reset = 100});
  bench.Say(1, {.limit = 60, .remaining = 50, .reset = 11, .window = 60, .kind = QuotaKind::kBucket});
  EXPECT_EQ(bench.View(2).kind, QuotaKind::kBucket);
  EXPECT_EQ(bench.View(2).remaining, 50);
}

}  // namespace
}  // namespace apiquota::quota
