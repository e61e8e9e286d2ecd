// What a registry counted, as the client library's values: for tests that look into them. Header only.
#pragma once

#include <prometheus/metric_family.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "metrics/telemetry.h"

namespace apiquota::metrics {

inline void Fill(const Counter& counter, prometheus::ClientMetric* metric) {
  metric->counter.value = static_cast<double>(counter.Value());
}
inline void Fill(const Histogram& histogram, prometheus::ClientMetric* metric) {
  metric->histogram = histogram.Collect();
}

template <class Metric>
prometheus::MetricFamily Collected(const Family<Metric>& family) {
  const FamilyOptions& options = family.options();
  prometheus::MetricFamily out{options.name, options.help, prometheus::MetricType::Counter, {}};
  if (std::is_same_v<Metric, Histogram>) out.type = prometheus::MetricType::Histogram;
  family.ForEach([&](const std::vector<std::string>& values, const Metric& child) {
    prometheus::ClientMetric& metric = out.metric.emplace_back();
    for (size_t i = 0; i < values.size(); ++i) metric.label.push_back({options.labels[i], values[i]});
    Fill(child, &metric);
  });
  return out;
}

// Sorted by name.
inline std::vector<prometheus::MetricFamily> Collected(const Registry& registry) {
  std::vector<prometheus::MetricFamily> families;
  registry.ForEachFamily([&](const auto& family) { families.push_back(Collected(family)); });
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  return families;
}

}  // namespace apiquota::metrics
