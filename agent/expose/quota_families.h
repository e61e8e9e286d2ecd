// The apiquota_quota_* families of one snapshot. limit, remaining, used, reset and window carry the same
// labels (api, key, resource, quota, unit), so that a ratio in PromQL needs no on(). Pure and thread-safe.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "expose/metrics_writer.h"
#include "quota/snapshot.h"

namespace apiquota::expose {

struct WritableFamily {
  std::string_view name;
  std::function<void(MetricsWriter&)> write;
};

// In the order of their declaration. `snapshot` must outlive the writing.
std::vector<WritableFamily> QuotaFamilies(const quota::Snapshot& snapshot);

}  // namespace apiquota::expose
