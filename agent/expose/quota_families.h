// The apiquota_quota_* families of one snapshot. limit, remaining, used, reset and window carry the same
// labels (api, key, resource, quota, unit), so that a ratio in PromQL needs no on(). Pure and thread-safe.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "quota/snapshot.h"

namespace apiquota::expose {

std::vector<prometheus::MetricFamily> QuotaFamilies(const quota::Snapshot& snapshot);

}  // namespace apiquota::expose
