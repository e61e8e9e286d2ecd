// A run of the session fuzzer: a Worker of the proxy, its clients and upstreams (world.h).
#pragma once

#include <memory>
#include <optional>

#include "apis/options.h"
#include "guard/guard.h"
#include "proxy/caches.h"
#include "proxy/guard_clock.h"
#include "proxy/options.h"
#include "proxy/worker.h"
#include "quota/ledger.h"
#include "tests/fuzz/world.h"

namespace apiquota::fuzz {

// Short deadlines, so that all of them pass within a run.
proxy::ProxyOptions ShortDeadlines();

// Whether requests may have to wait, whether they may be sent twice, and whether all else is on that the
// operator may write: cache, limits of their own, slots, breaker, and a shadow of it all.
enum class Guarding : uint8_t { kOff, kWaits, kRepeats, kAll };
inline constexpr size_t kGuardings = 4;

class SessionWorld final : public World {
 public:
  static constexpr Micros kWaitMax = std::chrono::seconds(5);  // of a guarded request

  SessionWorld(const proxy::ProxyOptions& options, Guarding guarding);
  ~SessionWorld() override;

  void Drain();
  void Reload(bool other);

 private:
  struct Fixed;
  static Fixed& Always();

  // The guard with the loop that wakes it, driven by hand like the worker's, and the caches beside it.
  struct Guarded {
    explicit Guarded(const Clock& clock) : loop(clock), clock_of_guard(loop), guard(clock_of_guard) {
      clock_of_guard.Wind(guard);
    }
    net::Loop loop;
    proxy::GuardClock clock_of_guard;
    guard::Guard guard;
    proxy::Caches caches;
  };

  net::Loop& loop() override { return worker_->loop(); }
  bool TurnLoops() override;
  void Guard(const std::vector<apis::ApiOptions>& apis);
  bool listening() const override { return !draining_; }
  size_t HeldPerClient() const override;
  size_t HeldElse() const override;
  Micros ServiceMayTake() const override;
  void CheckAfterAll() override;
  void CheckGuardAfterAll() const;
  void CheckCachesAfterAll() const;

  Fixed& fixed_;
  quota::Ledger ledger_{quota::LedgerOptions{}};
  const Guarding guarding_;
  std::optional<Guarded> guarded_;
  std::unique_ptr<proxy::Shared> shared_;
  std::optional<proxy::Worker> worker_;
  bool draining_ = false, drained_ = false;
};

}  // namespace apiquota::fuzz
