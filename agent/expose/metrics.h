// /metrics: the snapshot, the configured apis, the agent's own facts and what it counted, as metric families
// and as Prometheus text (version 0.0.4). Pure and thread-safe. Nothing is remembered between two scrapes:
// what is unknown or has expired is absent from the page. tests/golden/metrics.txt is the documented list.
#pragma once

#include <string>
#include <vector>

#include "expose/facts.h"
#include "expose/guard_facts.h"
#include "expose/process_stats.h"
#include "metrics/telemetry.h"
#include "quota/snapshot.h"

namespace apiquota::expose {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

struct MetricsPage {
  quota::Snapshot snapshot;
  std::vector<ApiFacts> apis;
  std::vector<PollFacts> polls;
  GuardFacts guard;
  AgentFacts agent;
  ProcessStats process;
  const metrics::Registry* counted = nullptr;
};

// Families sorted by name; those without a series are left out.
std::string MetricsText(const MetricsPage& page);

}  // namespace apiquota::expose
