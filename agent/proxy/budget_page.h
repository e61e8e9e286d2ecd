// What one caller may still ask for: its quotas, its limits, its waits. The answer to GET /-/budget on the
// proxy, asked with the caller's own token where the API's key would stand.
//
// JSON, members always in this order; times in seconds since the epoch and, as ..._time, RFC 3339:
//
// {"at", "at_time", "caller", "apis": [ {        that it may use; of those nobody configured, in use alone
//   "api",
//   "quotas": [ {"resource", "quota", "unit",    of the key that its requests are sent with
//     "limit", "remaining", "used_ratio",        null: not known now
//     "reset", "reset_time"} … ],
//   "limits": [ {"limit", "unit", "allowed",     the operator's own that hold it: by caller, by key, of all
//     "used", "remaining",                       together; not those by address or header
//     "window_seconds", "resets_in_seconds"} … ],   null: nothing is used
//   "waits": {"waiting", "oldest_seconds", "last_seconds"}} … ]}   its requests in queues; null: none
//
// Nothing of other callers, of other apis or of keys' values is in it; quotas and limits by key are those of
// the key, whoever uses it, too. A page is made at most once a second for each caller, and the ledger read
// for none oftener: whoever asks more often gets the same one. Belongs to one loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apis/route_table.h"
#include "base/clock.h"
#include "guard/guard.h"
#include "proxy/caller_waits.h"
#include "quota/ledger.h"

namespace apiquota::proxy {

// The agent's own part of the proxy's addresses: no api is routed there.
bool IsOwnPath(std::string_view path_and_query);
bool IsBudgetPath(std::string_view path_and_query);

struct BudgetSources {
  const quota::Ledger* ledger = nullptr;  // null: nothing is known of quotas
  const guard::Guard* guard = nullptr;    // null: nothing is guarded
  const CallerWaits* waits = nullptr;     // null: nobody waits
};

std::string BudgetJson(const apis::RouteTable& routes, const apis::CallerOptions& caller,
                       const quota::Snapshot& snapshot, const BudgetSources& sources, RunningTime now);

class BudgetDesk {
 public:
  static constexpr Micros kPageTime = std::chrono::seconds(1);

  explicit BudgetDesk(BudgetSources sources) : sources_(sources) {}

  // REQUIRES: the caller is one of the routes'.
  const std::string& PageFor(const std::shared_ptr<const apis::RouteTable>& routes,
                             const apis::CallerOptions& caller, RunningTime now);

 private:
  struct Page {
    SystemTime made_at;
    std::string text;
  };

  const BudgetSources sources_;
  std::shared_ptr<const apis::RouteTable> routes_;
  std::map<std::string, Page, std::less<>> pages_;  // by caller
  std::optional<quota::Snapshot> snapshot_;         // system time
  SystemTime read_at_;
};

}  // namespace apiquota::proxy
