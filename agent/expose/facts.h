// What renderings need to know beside the ledger's snapshot: the configured apis and the agent itself, as
// values. No secrets: keys are their aliases.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"

namespace apiquota::expose {

struct ApiFacts {
  std::string name;
  std::string exporter;
  std::string base_url;
  std::string route;
  std::vector<std::string> keys;              // aliases of configured keys
  std::map<std::string, std::string> labels;  // the operator's, by the names they wrote
};

struct AgentFacts {
  std::string version;
  std::string revision;  // of the source; empty if unknown
  bool last_reload_successful = true;
  SystemTime last_reload_success;  // the first load counts
  uint64_t log_lines_dropped = 0;
};

}  // namespace apiquota::expose
