// The parts of a running agent, wired: ledger, proxy, admin side, state file. Main's thread owns it and makes
// every call; the proxy's and the admin server's threads run inside.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "app/admin_pages.h"
#include "app/guard_house.h"
#include "app/reload_desk.h"
#include "app/serve_options.h"
#include "app/settings.h"
#include "app/state_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "metrics/agent_metrics.h"
#include "metrics/telemetry.h"
#include "net/admin_server.h"
#include "net/fingerprint.h"
#include "poll/poller.h"
#include "proxy/proxy.h"
#include "quota/ledger.h"

namespace apiquota::app {

class Agent {
 public:
  // Both listeners serve when it returns, or nothing does. `clock` must outlive the agent.
  static Result<std::unique_ptr<Agent>> Start(const ServeOptions& options, Settings settings, Secret salt,
                                              const Clock& clock);

  // Reads files and flags again; a mistake keeps everything as it was and is logged. Answers POST /-/reload.
  void Reload();

  void SaveState();

  // Readiness off, requests under way finished or cut off at drain_timeout, readings saved. The admin side
  // stays until the agent is destroyed.
  void Drain();

 private:
  Agent(const ServeOptions& options, Settings settings, Secret salt, const Clock& clock);
  Status Listen();
  Status LoadAgain();
  void ForgetOthersThan(const Settings& settings);
  std::vector<expose::PollFacts> Polls() const;
  Result<std::shared_ptr<const apis::RouteTable>> BuildRoutes(const Settings& settings);

  const ServeOptions options_;
  const Clock& clock_;
  Settings settings_;
  net::Fingerprinter fingerprinter_;
  metrics::Registry registry_;
  metrics::AgentMetrics metrics_;
  quota::Ledger ledger_;
  StateFile state_;
  StateFile guard_state_;
  SharedFacts facts_;
  std::atomic<bool> ready_{false};
  ReloadDesk reload_desk_;
  GuardHouse guard_;
  // Last, so that their threads end before what they use is gone.
  std::unique_ptr<proxy::Proxy> proxy_;
  std::unique_ptr<poll::Poller> poller_;
  std::unique_ptr<net::AdminServer> admin_;
};

}  // namespace apiquota::app
