#include "metrics/telemetry.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <thread>

namespace apiquota::metrics {
namespace {

std::string Page(const Registry& registry) {
  return prometheus::TextSerializer{}.Serialize(registry.Collect());
}

TEST(TelemetryTest, CountersRenderInOrderOfNameAndLabels) {
  Registry registry;
  Family<Counter>& requests =
      registry.AddCounters({"zz_requests_total", "Requests.", {"api", "code"}, 10, {}});
  registry.AddCounters({"aa_errors_total", "Errors.", {}, 1, {}}).With({}).Add(3);
  requests.With({"openai", "429"}).Add();
  requests.With({"openai", "200"});
  requests.With({"openai", "429"}).Add(2);
  EXPECT_EQ(Page(registry),
            "# HELP aa_errors_total Errors.\n"
            "# TYPE aa_errors_total counter\n"
            "aa_errors_total 3\n"
            "# HELP apiquota_series_dropped_total Series refused because a family, an api or the "
            "ledger was at its cap.\n"
            "# TYPE apiquota_series_dropped_total counter\n"
            "apiquota_series_dropped_total{family=\"aa_errors_total\"} 0\n"
            "apiquota_series_dropped_total{family=\"zz_requests_total\"} 0\n"
            "# HELP zz_requests_total Requests.\n"
            "# TYPE zz_requests_total counter\n"
            "zz_requests_total{api=\"openai\",code=\"200\"} 0\n"
            "zz_requests_total{api=\"openai\",code=\"429\"} 3\n");
}

TEST(TelemetryTest, HistogramsAreCumulativeAndBoundsInclusive) {
  Registry registry;
  Histogram& histogram = registry.AddHistograms({"h_seconds", "H.", {"api"}, 10, {0.5, 1}}).With({"x"});
  for (const double value : {0.25, 0.5, 0.75, 1.0, 8.0}) histogram.Observe(value);
  EXPECT_EQ(Page(registry),
            "# HELP apiquota_series_dropped_total Series refused because a family, an api or the "
            "ledger was at its cap.\n"
            "# TYPE apiquota_series_dropped_total counter\n"
            "apiquota_series_dropped_total{family=\"h_seconds\"} 0\n"
            "# HELP h_seconds H.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_count{api=\"x\"} 5\n"
            "h_seconds_sum{api=\"x\"} 10.5\n"
            "h_seconds_bucket{api=\"x\",le=\"0.5\"} 2\n"
            "h_seconds_bucket{api=\"x\",le=\"1\"} 4\n"
            "h_seconds_bucket{api=\"x\",le=\"+Inf\"} 5\n");
}

TEST(TelemetryTest, ChildrenKeepTheirAddress) {
  Registry registry;
  Family<Counter>& family = registry.AddCounters({"c_total", "C.", {"n"}, 5000, {}});
  Counter& first = family.With({"0"});
  for (int i = 1; i < 3000; ++i) family.With({std::to_string(i)});
  EXPECT_EQ(&family.With({"0"}), &first);
}

TEST(TelemetryTest, BeyondTheCapChildrenShareOneOverflowChild) {
  Registry registry;
  Family<Counter>& family = registry.AddCounters({"c_total", "C.", {"api", "key"}, 2, {}});
  Counter& known = family.With({"a", "1"});
  family.With({"a", "2"});
  Counter& overflow = family.With({"a", "3"});
  overflow.Add();
  EXPECT_EQ(&family.With({"b", "9"}), &overflow);
  EXPECT_EQ(&family.With({"a", "1"}), &known) << "known children are still found";
  EXPECT_EQ(Page(registry),
            "# HELP apiquota_series_dropped_total Series refused because a family, an api or the "
            "ledger was at its cap.\n"
            "# TYPE apiquota_series_dropped_total counter\n"
            "apiquota_series_dropped_total{family=\"c_total\"} 2\n"
            "# HELP c_total C.\n"
            "# TYPE c_total counter\n"
            "c_total{api=\"a\",key=\"1\"} 0\n"
            "c_total{api=\"a\",key=\"2\"} 0\n"
            "c_total{api=\"other\",key=\"other\"} 1\n");
}

TEST(TelemetryTest, CapsKeptElsewhereAreCountedToo) {
  Registry registry;
  registry.CountDropped("quota", 4);
  registry.CountDropped("quota", 1);
  EXPECT_EQ(Page(registry),
            "# HELP apiquota_series_dropped_total Series refused because a family, an api or the "
            "ledger was at its cap.\n"
            "# TYPE apiquota_series_dropped_total counter\n"
            "apiquota_series_dropped_total{family=\"quota\"} 5\n");
}

TEST(TelemetryTest, NothingIsLostBetweenThreads) {
  constexpr int kThreads = 12;  // more than a histogram has shards
  constexpr int kTurns = 5000;
  Registry registry;
  Family<Counter>& counters = registry.AddCounters({"c_total", "C.", {"n"}, 100, {}});
  Histogram& histogram = registry.AddHistograms({"h_seconds", "H.", {}, 1, {1}}).With({});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTurns; ++i) {
        counters.With({std::to_string(i % 7)}).Add();
        histogram.Observe(i % 2 == 0 ? 0.5 : 2);
        if (i % 1000 == 0) registry.Collect();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t counted = 0;
  for (int n = 0; n < 7; ++n) counted += counters.With({std::to_string(n)}).Value();
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
