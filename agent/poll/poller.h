// The poller: asks each configured api for its quotas, on a schedule (poll_schedule.h), and hands what comes
// back to the same pipeline as the proxy. The second door.
//
// One thread of its own, which runs only while there is something to poll. Start, SetRoutes and the
// destructor belong to one thread (main's); Status may be asked from any. What PollerDeps refers to must
// outlive the Poller.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apis/options.h"
#include "apis/route_table.h"
#include "base/clock.h"
#include "guard/guard.h"
#include "net/options.h"
#include "poll/options.h"
#include "quota/ledger.h"

namespace apiquota::poll {

struct PollerDeps {
  const Clock& clock;
  quota::Ledger& ledger;
  std::vector<uint16_t> own_ports;  // the agent's listeners
  net::TlsClientOptions tls;
  std::string user_agent;
  guard::Guard* guard = nullptr;  // is told of each poll; null: nothing is guarded
};

// How one target's polling goes. No secrets.
struct PollStatus {
  std::string api;
  std::string key;
  std::string method;
  std::string path;  // without its query
  Micros every{};
  std::optional<SystemTime> next_at;  // nothing: under way
  unsigned failures = 0;              // in a row
  struct Last {
    SystemTime at;  // it began
    Micros duration{};
    bool success = false;
    std::string result;  // poll_verdict.h
    int status = 0;      // 0: no answer
    std::string reason;
  };
  std::optional<Last> last;
  std::optional<SystemTime> last_success_at;
};

class Poller {
 public:
  Poller(const PollerOptions& options, PollerDeps deps);
  ~Poller();  // polls under way are cut off

  // Targets that were there before keep their schedule; polls under way are finished with the routes they
  // began with.
  void SetRoutes(const std::shared_ptr<const apis::RouteTable>& routes);

  // Polls no more; what is known stays to be asked for.
  void Stop();

  std::vector<PollStatus> Status() const;  // by api, then by key

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::poll
