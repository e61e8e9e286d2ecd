#include "metrics/telemetry.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/metrics/collected.h"

namespace apiquota::metrics {
namespace {

std::string Page(const Registry& registry) {
  return prometheus::TextSerializer{}.Serialize(Collected(registry));
}

constexpr char kDropped[] =
    "# HELP apiquota_series_dropped_total Times something of the api was counted under \"other\" or left "
    "out, "
    "because the api had used up its share of the series or one of its own caps.\n"
    "# TYPE apiquota_series_dropped_total counter\n";

std::shared_ptr<const KnownNames> Names(std::vector<ApiNames> apis) {
  return std::make_shared<const KnownNames>(std::move(apis));
}

// How many series there are of an api.
size_t SeriesOf(const Registry& registry, const std::string& api) {
  size_t series = 0;
  for (const prometheus::MetricFamily& family : Collected(registry)) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (metric.label.empty() || metric.label[0].value != api) continue;
      series += family.type == prometheus::MetricType::Histogram ? metric.histogram.bucket.size() + 2 : 1;
    }
  }
  return series;
}

TEST(TelemetryTest, CountersRenderInOrderOfNameAndLabels) {
  Registry registry;
  Family<Counter>& requests = registry.AddCounters({"zz_requests_total", "Requests.", {"api", "code"}, {}});
  registry.AddCounters({"aa_errors_total", "Errors.", {}, {}}).With({})->Add(3);
  requests.With({"openai", "429"})->Add();
  requests.With({"openai", "200"});
  requests.With({"openai", "429"})->Add(2);
  EXPECT_EQ(Page(registry),
            "# HELP aa_errors_total Errors.\n"
            "# TYPE aa_errors_total counter\n"
            "aa_errors_total 3\n" +
                std::string(kDropped) +
                "# HELP zz_requests_total Requests.\n"
                "# TYPE zz_requests_total counter\n"
                "zz_requests_total{api=\"openai\",code=\"200\"} 0\n"
                "zz_requests_total{api=\"openai\",code=\"429\"} 3\n");
}

TEST(TelemetryTest, HistogramsAreCumulativeAndBoundsInclusive) {
  Registry registry;
  const auto histogram = registry.AddHistograms({"h_seconds", "H.", {"api"}, {0.5, 1}}).With({"x"});
  for (const double value : {0.25, 0.5, 0.75, 1.0, 8.0}) histogram->Observe(value);
  EXPECT_EQ(Page(registry), std::string(kDropped) +
                                "# HELP h_seconds H.\n"
                                "# TYPE h_seconds histogram\n"
                                "h_seconds_count{api=\"x\"} 5\n"
                                "h_seconds_sum{api=\"x\"} 10.5\n"
                                "h_seconds_bucket{api=\"x\",le=\"0.5\"} 2\n"
                                "h_seconds_bucket{api=\"x\",le=\"1\"} 4\n"
                                "h_seconds_bucket{api=\"x\",le=\"+Inf\"} 5\n");
}

TEST(TelemetryTest, TheSameLabelsAreTheSameChild) {
  Registry registry;
  Family<Counter>& family = registry.AddCounters({"c_total", "C.", {"n"}, {}});
  const auto first = family.With({"0"});
  for (int i = 1; i < 3000; ++i) family.With({std::to_string(i)});
  EXPECT_EQ(family.With({"0"}), first);
}

TEST(TelemetryTest, BeyondItsShareAnApisChildrenShareItsOwnOverflowChild) {
  Registry registry(2);
  Family<Counter>& family = registry.AddCounters({"c_total", "C.", {"api", "key"}, {}});
  const auto known = family.With({"a", "1"});
  family.With({"a", "2"});
  const auto overflow = family.With({"a", "3"});
  overflow->Add();
  EXPECT_EQ(family.With({"a", "4"}), overflow);
  EXPECT_NE(family.With({"b", "9"}), overflow);
  EXPECT_EQ(family.With({"a", "1"}), known) << "known children are still found";
  EXPECT_EQ(Page(registry), std::string(kDropped) +
                                "apiquota_series_dropped_total{api=\"a\",family=\"c_total\"} 2\n"
                                "apiquota_series_dropped_total{api=\"b\",family=\"c_total\"} 1\n"
                                "# HELP c_total C.\n"
                                "# TYPE c_total counter\n"
                                "c_total{api=\"a\",key=\"1\"} 0\n"
                                "c_total{api=\"a\",key=\"2\"} 0\n"
                                "c_total{api=\"a\",key=\"other\"} 1\n"
                                "c_total{api=\"b\",key=\"other\"} 0\n");
}

TEST(TelemetryTest, AFloodOfOneApiDoesNotPushAnothersChildrenIntoOther) {
  Registry registry(1000);
  registry.Configure(Names({{"flooded", {}, {}}, {"quiet", {}, {}}}), 0);
  Family<Counter>& counters = registry.AddCounters({"c_total", "C.", {"api", "model"}, {}});
  Family<Histogram>& histograms = registry.AddHistograms({"h_seconds", "H.", {"api", "model"}, {1, 2}});
  for (int i = 0; i < 5000; ++i) counters.With({"flooded", std::to_string(i)});
  for (int i = 0; i < 5000; ++i) histograms.With({"flooded", std::to_string(i)});
  for (int i = 0; i < 40; ++i) counters.With({"quiet", std::to_string(i)});
  for (int i = 0; i < 20; ++i) histograms.With({"quiet", std::to_string(i)});
  EXPECT_EQ(SeriesOf(registry, "quiet"), 40u + 20 * 5);
  EXPECT_LE(SeriesOf(registry, "quiet") + SeriesOf(registry, "flooded"), 1000u) << "buckets counted";
}

TEST(TelemetryTest, AHistogramWithoutRoomIsCountedIntoAndShownNowhere) {
  Registry registry(4);
  Family<Histogram>& family = registry.AddHistograms({"h_seconds", "H.", {"api"}, {1, 2}});
  family.With({"a"})->Observe(1);
  EXPECT_EQ(Page(registry), std::string(kDropped) +
                                "apiquota_series_dropped_total{api=\"a\",family=\"h_seconds\"} 1\n"
                                "# HELP h_seconds H.\n"
                                "# TYPE h_seconds histogram\n");
}

TEST(TelemetryTest, CapsKeptElsewhereAreCountedToo) {
  Registry registry;
  registry.CountDropped("a", "quota", 4);
  registry.CountDropped("a", "quota");
  EXPECT_EQ(Page(registry),
            std::string(kDropped) + "apiquota_series_dropped_total{api=\"a\",family=\"quota\"} 5\n");
}

TEST(TelemetryTest, WhatTheConfigurationNoLongerNamesIsForgotten) {
  Registry registry;
  Family<Counter>& family = registry.AddCounters({"c_total", "C.", {"api", "key", "caller"}, {}});
  const auto names = [](const char* api, std::vector<std::string> keys, std::vector<std::string> callers) {
    return Names({{api, std::move(keys), std::move(callers)}});
  };
  registry.Configure(names("a", {"ci", "web"}, {"bob"}), 0);
  for (const char* key : {"ci", "web", "hmac:1", "anonymous", "other"}) family.With({"a", key, ""})->Add();
  family.With({"a", "web", "bob"})->Add();
  const auto held = family.With({"a", "ci", "bob"});
  const size_t taken = registry.shares().taken();
  registry.Configure(names("a", {"web"}, {}), 0);
  EXPECT_EQ(SeriesOf(registry, "a"), 4u) << "of ci and of bob nothing is left";
  EXPECT_EQ(registry.shares().taken(), taken - 3);
  held->Add();
  family.With({"a", "ci", ""})->Add();
  EXPECT_EQ(SeriesOf(registry, "a"), 4u) << "a request under way does not bring it back";
  EXPECT_EQ(family.With({"a", "web", ""})->Value(), 1u) << "what stays goes on";
  registry.Configure(names("b", {}, {}), 0);
  EXPECT_EQ(SeriesOf(registry, "a"), 0u);
  EXPECT_EQ(registry.shares().taken(), 0u);
}

TEST(TelemetryTest, TwoHundredRenamesOfAnApiLeaveRoomForTheLast) {
  Registry registry(500);
  Family<Counter>& counters = registry.AddCounters({"c_total", "C.", {"api", "code"}, {}});
  Family<Histogram>& histograms = registry.AddHistograms({"h_seconds", "H.", {"api"}, {1, 2, 3}});
  for (int i = 0; i <= 200; ++i) {
    const std::string api = "api-" + std::to_string(i);
    registry.Configure(Names({{api, {}, {}}}), 0);
    counters.With({api, "200"})->Add();
    histograms.With({api})->Observe(1);
  }
  EXPECT_EQ(SeriesOf(registry, "api-200"), 1u + 6u);
  EXPECT_EQ(registry.shares().taken(), 7u);
}

TEST(TelemetryTest, NothingIsLostBetweenThreads) {
  constexpr int kThreads = 12;  // more than a histogram has shards
  constexpr int kTurns = 5000;
  Registry registry;
  Family<Counter>& counters = registry.AddCounters({"c_total", "C.", {"n"}, {}});
  const auto held = registry.AddHistograms({"h_seconds", "H.", {}, {1}}).With({});
  Histogram& histogram = *held;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTurns; ++i) {
        counters.With({std::to_string(i % 7)})->Add();
        histogram.Observe(i % 2 == 0 ? 0.5 : 2);
        if (i % 1000 == 0) Collected(registry);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t counted = 0;
  for (int n = 0; n < 7; ++n) counted += counters.With({std::to_string(n)})->Value();
  EXPECT_EQ(counted, kThreads * kTurns);
  const prometheus::ClientMetric::Histogram collected = histogram.Collect();
  EXPECT_EQ(collected.sample_count, kThreads * kTurns);
  EXPECT_EQ(collected.sample_sum, kThreads * kTurns * 1.25);
  ASSERT_EQ(collected.bucket.size(), 2u);
  EXPECT_EQ(collected.bucket[0].cumulative_count, kThreads * kTurns / 2);
  EXPECT_TRUE(std::isinf(collected.bucket[1].upper_bound));
}

}  // namespace
}  // namespace apiquota::metrics
