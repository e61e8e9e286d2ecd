// The gauges of what the guard holds now. Pure and thread-safe. Only of apis that are guarded and were used:
// what is well and what has never been asked for is not on the page.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "base/clock.h"
#include "expose/guard_facts.h"

namespace apiquota::expose {

std::vector<prometheus::MetricFamily> GuardFamilies(const GuardFacts& facts, SystemTime now);

}  // namespace apiquota::expose
