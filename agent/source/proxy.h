// The proxy: a listener and event loops that relay requests to upstreams and observe what comes
// back. The first door.
//
// Start, SetRoutes, Drain and the destructor belong to one thread (main's); traffic runs on the
// proxy's own threads. What ProxyDeps refers to must outlive the Proxy.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "quota/agent_metrics.h"
#include "quota/ledger.h"
#include "source/options.h"
#include "source/route_table.h"

namespace apiquota::source {

struct ProxyDeps {
  const Clock& clock;
  quota::Ledger& ledger;
  quota::AgentMetrics& metrics;
  // The agent's other listeners (the admin port): no upstream may be one of them on any address of
  // this machine.
  std::vector<uint16_t> own_ports;
};

class Proxy {
 public:
  // Listens and serves when it returns. Errors: the address is taken or not ours, the CA file can't
  // be read.
  static Result<std::unique_ptr<Proxy>> Start(const ProxyOptions& options,
                                              const std::shared_ptr<const RouteTable>& routes,
                                              ProxyDeps deps);
  ~Proxy();  // closes what is still open, at once

  uint16_t port() const;

  // Requests that begin from now on use these routes; those under way keep theirs. No connection is
  // dropped.
  void SetRoutes(const std::shared_ptr<const RouteTable>& routes);

  // Stops listening, lets requests under way finish (at most drain_timeout), then closes the rest.
  // Returns when done.
  void Drain();

 private:
  struct Impl;
  explicit Proxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::source
