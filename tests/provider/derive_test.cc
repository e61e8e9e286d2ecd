#include "provider/derive.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace apiquota::provider {
namespace {

const SystemTime kNow{std::chrono::seconds(1'718'236'800)};

Reading Of(std::optional<double> limit, std::optional<double> remaining, std::optional<double> used) {
  Reading reading;
  reading.quota = "requests";
  reading.unit = "requests";
  reading.limit = limit;
  reading.remaining = remaining;
  reading.used = used;
  return reading;
}

Reading Derived(Reading reading, WindowRule rule = WindowRule::kSaid) {
  DeriveFields(&reading, rule, kNow);
  return reading;
}

TEST(DeriveTest, AnyOneOfThreeFollowsFromTheOtherTwo) {
  Reading used = Of(100, 75, 25);
  used.derived = {SignalField::kUsed};
  EXPECT_EQ(Derived(Of(100, 75, {})), used);
  Reading remaining = Of(100, 75, 25);
  remaining.derived = {SignalField::kRemaining};
  EXPECT_EQ(Derived(Of(100, {}, 25)), remaining);
  Reading limit = Of(100, 75, 25);
  limit.derived = {SignalField::kLimit};
  EXPECT_EQ(Derived(Of({}, 75, 25)), limit);
}

TEST(DeriveTest, NothingFollowsFromOne) {
  for (const Reading& reading : {Of(100, {}, {}), Of({}, 75, {}), Of({}, {}, 25), Of(100, 75, 30)}) {
    EXPECT_EQ(Derived(reading), reading);
  }
}

TEST(DeriveTest, MoreLeftThanAllowedTellsNothingOfUse) {
  EXPECT_EQ(Derived(Of(100, 120, {})).used, std::nullopt);
}

TEST(DeriveTest, MoreUsedThanAllowedLeavesNothing) { EXPECT_EQ(Derived(Of(1, {}, 1.05)).remaining, 0); }

TEST(DeriveTest, FractionsLeaveNoDust) { EXPECT_EQ(Derived(Of(1, {}, 0.42)).remaining, 0.58); }

TEST(DeriveTest, ABucketsWindowFollowsFromItsRefill) {
  Reading daily = Of(10000, 9999, {});
  daily.reset_at = kNow + std::chrono::milliseconds(8640);
  const Reading derived = Derived(daily, WindowRule::kDerived);
  EXPECT_EQ(derived.window_seconds, 86400);
  EXPECT_EQ(derived.derived, (SignalFields{SignalField::kUsed, SignalField::kWindow}));
  EXPECT_EQ(Derived(daily, WindowRule::kSaid).window_seconds, std::nullopt);

  Reading full = Of(60, 60, {});
  full.reset_at = kNow + std::chrono::seconds(1);
  EXPECT_EQ(Derived(full, WindowRule::kDerived).window_seconds, std::nullopt);
  Reading past = Of(60, 59, {});
  past.reset_at = kNow;
  EXPECT_EQ(Derived(past, WindowRule::kDerived).window_seconds, std::nullopt);
}

TEST(DeriveTest, WindowsStandInNames) {
  EXPECT_EQ(WindowFromName("tokens-minute"), 60);
  EXPECT_EQ(WindowFromName("req-10-second"), 10);
  EXPECT_EQ(WindowFromName("24-hour"), 86400);
  EXPECT_EQ(WindowFromName("unified-5h"), 18000);
  EXPECT_EQ(WindowFromName("unified-7d_oi"), 604800);
  EXPECT_EQ(WindowFromName("daily"), 86400);
  EXPECT_EQ(WindowFromName("requests-week"), 604800);
  EXPECT_EQ(WindowFromName("2-weeks"), 1209600);
  EXPECT_EQ(WindowFromName("requests-per-30-days"), 2592000);
  EXPECT_EQ(WindowFromName("GenerateContentInputTokensPerModelPerMinute-FreeTier"), 60);
  EXPECT_EQ(WindowFromName("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), 86400);
  EXPECT_EQ(WindowFromName("WriteRequestsPer100SecondsPerUser"), 100);
  EXPECT_EQ(WindowFromName("V1RequestsPerMinute"), 60);
  EXPECT_EQ(WindowFromName("CPUSeconds"), std::nullopt);
  EXPECT_EQ(WindowFromName("tier2-minute"), 60);
  EXPECT_EQ(WindowFromName("audio-seconds-minute"), 60);
  EXPECT_EQ(WindowFromName("requests-7days"), 604800);
  EXPECT_EQ(WindowFromName("1week"), 604800);
  EXPECT_EQ(WindowFromName("2min"), 120);
  EXPECT_EQ(WindowFromName("requests/day"), 86400);
  EXPECT_EQ(WindowFromName("calls per 2 weeks"), 1209600);
  for (const auto* name :
       {"", "requests", "tokens-month", "v3", "complexity", "5", "5x", "0days", "99999days"}) {
    EXPECT_EQ(WindowFromName(name), std::nullopt) << name;
  }
}

SourcedReading From(Reading reading, size_t family, bool named = false, std::string quota = "requests") {
  reading.quota = std::move(quota);
  return {.reading = std::move(reading), .family = family, .named = named, .window_rule = WindowRule::kSaid};
}

std::vector<SourcedReading> Merged(std::vector<SourcedReading> readings, bool merge_equal) {
  readings.resize(MergeReadings(readings, merge_equal));
  return readings;
}

TEST(MergeTest, TheSameQuotaSaidTwiceIsOneReading) {
  Reading later = Of(400, 392, {});
  later.reset_at = kNow;
  later.reset_absolute = true;
  const auto merged = Merged({From(Of(400, 392, {}), 0), From(later, 1)}, false);
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(merged[0].reading, later);
}

TEST(MergeTest, TheSameNameWithOtherNumbersIsAnotherQuota) {
  const auto merged = Merged({From(Of(100, 99, {}), 0), From(Of(1000, 990, {}), 1)}, true);
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[1].reading.quota, "requests-2");
}

TEST(MergeTest, EqualNumbersUnderTwoNamesAreOneQuotaWhereTheFileSaysSo) {
  const std::vector<SourcedReading> two = {From(Of(6, 4, {}), 0), From(Of(6, 4, {}), 1, true, "minute")};
  EXPECT_EQ(Merged(two, false).size(), 2u);
  const auto merged = Merged(two, true);
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(merged[0].reading.quota, "minute") << "the name the response gave";
}

TEST(MergeTest, QuotasOfOneFamilyAreNeverMerged) {
  EXPECT_EQ(Merged({From(Of(5, 5, {}), 0, true, "minute"), From(Of(5, 5, {}), 0, true, "hour")}, true).size(),
            2u);
}

TEST(MergeTest, OfAHeadAndABodyThatDifferTheHeadIsRight) {
  for (const bool body_first : {false, true}) {
    SourcedReading head{.reading = Of(5000, 4000, {}), .family = 0};
    SourcedReading body{.reading = Of(5000, 4100, 900), .family = 2, .from_body = true};
    body.reading.window_seconds = 3600;
    std::vector<SourcedReading> readings = {head, body};
    if (body_first) std::swap(readings[0], readings[1]);
    ASSERT_EQ(MergeReadings(readings, false), 1U);
    EXPECT_EQ(readings[0].reading.remaining, 4000);
    EXPECT_EQ(readings[0].reading.used, std::nullopt);
    EXPECT_EQ(readings[0].reading.window_seconds, 3600);
  }
}

}  // namespace
}  // namespace apiquota::provider
