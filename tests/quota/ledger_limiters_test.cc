// Two limiters that speak under one name (docs/quota-semantics.md rules 2 and 4).
#include <gtest/gtest.h>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

constexpr double kYear = 365 * 86'400.0;
constexpr QuotaKind kBucket = QuotaKind::kBucket;

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

TEST(TwoLimitersTest, WithOneEndOrNoneTheyAreTwoOnceTheyTakeTurns) {
  const std::optional<double> kEnds[] = {600.0, std::nullopt};
  for (const auto& end : kEnds) {
    for (const QuotaKind kind : {kBucket, QuotaKind::kFixed, QuotaKind::kSliding}) {
      Bench bench;
      const Words strict{.limit = 60, .remaining = 0, .reset = end, .window = 900, .kind = kind};
      const Words lax{.limit = 1000, .remaining = 999, .reset = end, .window = 900, .kind = kind};
      for (int t = 0; t < 10; t += 2) {
        bench.Say(t, strict);
        bench.Say(t + 1, lax);
        if (t == 0) continue;  // until here it may be another plan
        EXPECT_EQ(bench.View(t + 1).limit, 60);
        EXPECT_EQ(bench.View(t + 1).remaining, 0);
      }
      EXPECT_EQ(bench.View(10).limit_changes_total, 2);
      for (int t = 10; t < 12; ++t) bench.Say(t, lax);
      EXPECT_EQ(bench.View(12).limit, 1000) << "the strict one was not said again";
    }
  }
}

TEST(TwoLimitersTest, NorDoThreeTakeTheStrictestOnesPlace) {
  Bench bench;
  double t = 0;
  for (int round = 0; round < 4; ++round) {
    for (const double limit : {60.0, 1000.0, 5000.0}) {
      bench.Say(++t, {.limit = limit, .remaining = limit == 60 ? 0 : limit - 1, .reset = 600});
      if (round > 0) {
        EXPECT_EQ(bench.View(t).limit, 60);
      }
    }
  }
}

TEST(TwoLimitersTest, AConcurrencyLimitMayComeAndGo) {
  Bench bench;
  for (int t = 0; t < 6; ++t) {
    const double limit = t % 2 == 0 ? 10 : 11;
    bench.Say(t, {.limit = limit, .remaining = t, .kind = QuotaKind::kConcurrency});
    EXPECT_EQ(bench.View(t).remaining, t);
  }
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

}  // namespace
}  // namespace apiquota::quota
