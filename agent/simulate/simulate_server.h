// A listener in front of a SimulatedApi and the sessions of its connections. One event loop carries all of
// it; times are as fine as its tick, 0.1 s. Belongs to that loop: only Stop may be called once it runs, after
// it has ended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/listener.h"
#include "net/loop.h"
#include "simulate/simulate.h"
#include "simulate/simulated_api.h"

namespace apiquota::simulate {

class SimulateSession;

class SimulateServer {
 public:
  // Listens from now on; answers once the loop runs. `loop` must outlive the server.
  static Result<std::unique_ptr<SimulateServer>> Open(net::Loop& loop, const SimulateOptions& options,
                                                      SimulatedApi api);
  ~SimulateServer();

  uint16_t port() const { return listener_->group().port(); }
  net::Loop& loop() { return loop_; }
  const SimulateOptions& options() const { return options_; }
  SimulatedApi& api() { return api_; }
  void Remove(SimulateSession* session);  // destroys it

 private:
  SimulateServer(net::Loop& loop, const SimulateOptions& options, SimulatedApi api);

  net::Loop& loop_;
  SimulateOptions options_;
  SimulatedApi api_;
  std::map<SimulateSession*, std::unique_ptr<SimulateSession>> sessions_;
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace apiquota::simulate
