// The proxy: a listener and event loops that relay requests to upstreams and observe what comes
// back. The first door.
//
// Start, SetRoutes, Drain and the destructor belong to one thread (main's); traffic runs on the
// proxy's own threads. What ProxyDeps refers to must outlive the Proxy.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "apis/options.h"
#include "apis/route_table.h"
#include "base/clock.h"
#include "base/error.h"
#include "metrics/agent_metrics.h"
#include "proxy/caches.h"
#include "proxy/guard_clock.h"
#include "proxy/options.h"
#include "quota/ledger.h"

namespace apiquota::proxy {

struct ProxyDeps {
  const Clock& clock;
  quota::Ledger& ledger;
  metrics::AgentMetrics& metrics;
  // The agent's other listeners (the admin port): no upstream may be one of them on any address of
  // this machine.
  std::vector<uint16_t> own_ports;
  std::string pseudonym = "apiquota";  // in Via: http::ViaPseudonym
  // Both or none; they outlive the proxy, which is home to the guard's waiters.
  guard::Guard* guard = nullptr;
  GuardClock* guard_clock = nullptr;
  Caches* caches = nullptr;  // null: no api has one; it outlives the proxy, too
};

class Proxy {
 public:
  // Listens and serves when it returns. Errors: the address is taken or not ours, the CA file can't
  // be read.
  static Result<std::unique_ptr<Proxy>> Start(const ProxyOptions& options,
                                              const std::shared_ptr<const apis::RouteTable>& routes,
                                              ProxyDeps deps);
  ~Proxy();  // closes what is still open, at once

  uint16_t port() const;

  // Requests that begin from now on use these routes; those under way keep theirs. No connection is
  // dropped.
  void SetRoutes(const std::shared_ptr<const apis::RouteTable>& routes);

  // Stops listening, lets requests under way finish (at most drain_timeout), then closes the rest.
  // Returns when done.
  void Drain();

 private:
  struct Impl;
  explicit Proxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::proxy
