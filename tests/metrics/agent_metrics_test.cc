#include "metrics/agent_metrics.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "tests/metrics/collected.h"

namespace apiquota::metrics {
namespace {

TEST(AgentMetricsTest, RegistersEachFamilyOnceUnderItsPublicName) {
  Registry registry;
  const AgentMetrics metrics(registry);
  std::vector<std::string> names;
  for (const prometheus::MetricFamily& family : Collected(registry)) names.push_back(family.name);
  EXPECT_EQ(names, (std::vector<std::string>{"apiquota_auth_failures_total",
                                             "apiquota_batchable_requests_total",
                                             "apiquota_cache_requests_total",
                                             "apiquota_client_retries_total",
                                             "apiquota_coalescable_requests_total",
                                             "apiquota_decisions_total",
                                             "apiquota_delay_seconds",
                                             "apiquota_guard_blind_total",
                                             "apiquota_http_rejected_total",
                                             "apiquota_overhead_seconds",
                                             "apiquota_parse_errors_total",
                                             "apiquota_poll_cost_total",
                                             "apiquota_proxy_requests_total",
                                             "apiquota_quota_conflicts_total",
                                             "apiquota_quota_saved_total",
                                             "apiquota_retries_total",
                                             "apiquota_retry_after_seconds",
                                             "apiquota_series_dropped_total",
                                             "apiquota_throttles_total",
                                             "apiquota_tokens_total",
                                             "apiquota_upstream_duration_seconds",
                                             "apiquota_upstream_errors_total",
                                             "apiquota_upstream_first_byte_seconds",
                                             "apiquota_upstream_requests_total"}));
}

TEST(AgentMetricsTest, AChildCarriesItsLabelsInTheOrderOfTheComment) {
  Registry registry;
  const AgentMetrics metrics(registry);
  metrics.upstream_requests.With({"openai-prod", "ci", "nightly", "POST", "200", "proxy"})->Add(3);
  const prometheus::MetricFamily family = Collected(metrics.upstream_requests);
  ASSERT_EQ(family.metric.size(), 1u);
  std::string text;
  for (const auto& label : family.metric[0].label) text += label.name + "=" + label.value + " ";
  EXPECT_EQ(text, "api=openai-prod key=ci caller=nightly method=POST code=200 door=proxy ");
  EXPECT_EQ(family.metric[0].counter.value, 3);
}

}  // namespace
}  // namespace apiquota::metrics
