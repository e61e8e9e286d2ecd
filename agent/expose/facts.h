// What renderings need to know beside the ledger's snapshot: the configured apis and the agent itself, as
// values. No secrets: keys are their aliases.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/options.h"

namespace apiquota::expose {

struct ApiFacts {
  std::string name;
  std::string exporter;
  std::string base_url;
  std::string route;
  std::vector<std::string> keys;              // aliases of configured keys
  std::map<std::string, std::string> labels;  // the operator's, by the names they wrote
  std::vector<std::string> unread_limit_headers =
      {};  // names of headers that no rule of the exporter describes
  guard::Options guard = {};
  bool implied = false;  // nobody configured it
};

// How one target's polling goes: an api and one of its keys.
struct PollFacts {
  std::string api;
  std::string key;
  std::string method;
  std::string path;                   // without its query, which may hold a credential
  double interval_seconds = 0;        // as configured; back-off is seen in next_at
  std::optional<SystemTime> next_at;  // absent while one is under way
  uint64_t failures = 0;              // in a row
  struct Last {
    SystemTime at;  // it began
    double duration_seconds = 0;
    bool success = false;
    std::string result;  // closed list: one word
    int status = 0;      // 0: no answer
    std::string reason;  // one sentence for a person; empty if all is well
  };
  std::optional<Last> last;
  std::optional<SystemTime> last_success_at;
};

struct AgentFacts {
  std::string version;
  std::string revision;  // of the source; empty if unknown
  bool last_reload_successful = true;
  SystemTime last_reload_success;  // the first load counts
  uint64_t log_lines_dropped = 0;
};

}  // namespace apiquota::expose
