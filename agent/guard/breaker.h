// The circuit breaker of one api: whether it is well enough to be asked (docs/guard.md, "Breaker"). Closed it
// lets everybody through; open nobody; after that one probe at a time, whose outcome decides. Pure; not
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "guard/options.h"

namespace apiquota::guard {

// What an attempt showed. A client that left shows nothing, nor does a throttle: it is no ill health.
enum class Health : uint8_t { kUnknown, kWell, kIll };

// What an attempt holds while it is under way; told back exactly once.
struct BreakerPass {
  uint64_t period = 0;  // of the breaker's state in which it began: what began earlier says nothing new
  bool probe = false;
};

struct BreakerView {
  bool open = false;    // or half-open: a probe is out, or due
  SystemTime until{};   // while open: of the next probe
  uint64_t trips = 0;   // since the start
  uint64_t probes = 0;  // since it opened
  std::optional<SystemTime> opened_at;
};

class Breaker {
 public:
  explicit Breaker(const BreakerOptions& options) : options_(options) {}
  void Configure(const BreakerOptions& options) { options_ = options; }

  // Until when it lets nobody through; nothing: Enter would succeed now.
  std::optional<SystemTime> Refuses(SystemTime now) const;
  // Nothing: Refuses.
  std::optional<BreakerPass> Enter(SystemTime now);
  void Ended(const BreakerPass& pass, Health health, SystemTime now);
  BreakerView View(SystemTime now) const;

 private:
  BreakerOptions options_;
};

}  // namespace apiquota::guard
