// The guard with the thread that wakes it (proxy/guard_clock.h), and the caches beside it. The thread runs
// only once something is guarded. Configure and Drain belong to main's thread.
#pragma once

#include "app/settings.h"
#include "base/clock.h"
#include "guard/guard.h"
#include "net/loop.h"
#include "proxy/caches.h"
#include "proxy/guard_clock.h"

namespace apiquota::app {

class GuardHouse {
 public:
  explicit GuardHouse(const Clock& clock);
  ~GuardHouse();  // whatever asks it must have gone

  void Configure(const Settings& settings);
  // The agent stops: who can't go within `time` is told so now.
  void Drain(Micros time);

  bool used() const { return running_; }  // something is guarded, or was
  guard::Guard& guard() { return guard_; }
  proxy::GuardClock& guard_clock() { return guard_clock_; }
  proxy::Caches& caches() { return caches_; }

 private:
  const Clock& clock_;
  net::Loop loop_;
  proxy::GuardClock guard_clock_;
  guard::Guard guard_;
  proxy::Caches caches_;
  bool running_ = false;
};

}  // namespace apiquota::app
