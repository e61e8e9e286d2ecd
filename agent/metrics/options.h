// Bounds of the agent's own metrics; plain values with their defaults.
#pragma once

#include <cstddef>

namespace apiquota::metrics {

struct MetricsOptions {
  size_t series_max =
      10'000;  // on /metrics in all, a histogram's buckets counted; shared fairly among the apis

  friend bool operator==(const MetricsOptions&, const MetricsOptions&) = default;
};

}  // namespace apiquota::metrics
