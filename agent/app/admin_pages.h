// The admin side's pages: each a function from what the agent knows to an answer.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "app/guard_page.h"
#include "app/reload_desk.h"
#include "base/clock.h"
#include "expose/facts.h"
#include "guard/guard.h"
#include "metrics/agent_metrics.h"
#include "net/admin_server.h"
#include "quota/ledger.h"

namespace apiquota::app {

// The facts that a reload changes. Thread-safe.
class SharedFacts {
 public:
  explicit SharedFacts(expose::AgentFacts agent) : agent_(std::move(agent)) {}

  void ReloadSucceeded(std::vector<expose::ApiFacts> apis, SystemTime now);
  void ReloadFailed();
  std::vector<expose::ApiFacts> apis() const;
  expose::AgentFacts agent() const;

 private:
  mutable std::mutex mutex_;
  expose::AgentFacts agent_;            // guarded by mutex_
  std::vector<expose::ApiFacts> apis_;  // guarded by mutex_
};

// What the pages show; all of it must outlive the admin server.
struct PageSources {
  const Clock& clock;
  const quota::Ledger& ledger;
  const metrics::AgentMetrics& metrics;
  const SharedFacts& facts;
  std::function<std::vector<expose::PollFacts>()> polls;
  const std::atomic<bool>& ready;
  ReloadDesk* reload_desk;                       // null: no POST /-/reload
  const guard::Guard* guard = nullptr;           // null: nothing is guarded
  std::function<CacheViews()> caches = nullptr;  // null: nothing is remembered
};

std::vector<net::AdminRoute> AdminPages(const PageSources& sources);

}  // namespace apiquota::app
