// One limit's count for one scope (all callers, a key or an address), by kind. Exact to the microsecond. Pure
// over the `now` it is given, which must not go backwards. Not thread-safe.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "simulate/limit_options.h"

namespace apiquota::simulate {

class Counter {
 public:
  virtual ~Counter() = default;

  // REQUIRES: limit > 0, window > 0.
  static std::unique_ptr<Counter> Make(const LimitOptions& options);

  // The most that can be had at one time.
  virtual double Capacity() const = 0;
  // What can be taken now; below 0: more was taken than there was.
  virtual double Remaining(SystemTime now) const = 0;
  // As LimitState::reset_at.
  virtual SystemTime ResetAt(SystemTime now) const = 0;
  // When the window that is open began; nothing: none is, or this kind has none.
  virtual std::optional<SystemTime> WindowStart(SystemTime) const { return std::nullopt; }
  // Until `cost` can be taken, if nobody takes anything before; 0: now. Nothing: nobody knows, or never.
  virtual std::optional<Micros> WaitFor(double cost, SystemTime now) const = 0;
  // Whether there is room or not.
  virtual void Take(double cost, SystemTime now) = 0;
  // A call that took at `taken_at` took `surplus` too much (below 0: too little).
  virtual void GiveBack(double surplus, SystemTime taken_at, SystemTime now) = 0;
  // A call was refused, by this or another limit. `cost` 0: it is not counted.
  virtual void Refuse(double cost, SystemTime now) = 0;
};

}  // namespace apiquota::simulate
