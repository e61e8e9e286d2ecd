// The circuit breaker of one api: whether it is well enough to be asked (docs/guard.md, "Breaker"). Closed it
// lets everybody through; open nobody; after that one probe at a time, whose outcome decides. Pure; not
// thread-safe. All times are running time (base/clock.h), never earlier than the call before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "guard/options.h"

namespace apiquota::guard {

// What an attempt showed. A client that left shows nothing, nor does a server that says it is busy: a
// throttle is no ill health.
enum class Health : uint8_t { kUnknown, kWell, kIll };

// What an attempt holds while it is under way; told back exactly once, to the breaker that gave it.
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

  // Until when it lets nobody through; nothing: Enter would succeed now. While a probe is out nobody knows,
  // and it is a second.
  std::optional<SystemTime> Refuses(SystemTime now) const;
  // Nothing: Refuses.
  std::optional<BreakerPass> Enter(SystemTime now);
  void Ended(const BreakerPass& pass, Health health, SystemTime now);
  BreakerView View() const;

 private:
  // Outcomes of one second.
  struct Second {
    int64_t at = -1;
    uint64_t well = 0;
    uint64_t ill = 0;
  };
  static constexpr size_t kSeconds = 10;

  void Count(Health health, SystemTime now);
  bool MustOpen(SystemTime now) const;
  void Open(SystemTime now);
  void Close();

  BreakerOptions options_;
  uint64_t period_ = 1;
  bool open_ = false;
  bool probing_ = false;  // a probe is out
  SystemTime until_{};
  Micros span_{};  // how long it is open before the next probe
  std::optional<SystemTime> opened_at_;
  size_t in_a_row_ = 0;
  std::array<Second, kSeconds> seconds_{};
  uint64_t trips_ = 0;
  uint64_t probes_ = 0;
};

// An attempt under way, with the breaker that let it through: a reload may have put another in its place,
// which it tells nothing. Null: none has.
struct Entered {
  std::shared_ptr<Breaker> breaker;
  BreakerPass pass;
  Health so_far = Health::kUnknown;  // what the head of its answer showed

  void End(Health health, SystemTime now) {
    if (breaker) std::exchange(breaker, nullptr)->Ended(pass, health, now);
  }
  // An answer that begins well may still break off. Nobody waits for a probe's end: it may be a stream of
  // hours.
  void Answered(Health health, SystemTime now) {
    so_far = health;
    if (health != Health::kWell || pass.probe) End(health, now);
  }
  // However it ended, it did not fail.
  void Over(SystemTime now) { End(so_far, now); }
};

}  // namespace apiquota::guard
