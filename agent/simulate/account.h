// One limit's count for one scope, and the books about it: what was let through and refused, window by
// window. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "simulate/counter.h"
#include "simulate/limit_options.h"
#include "simulate/truth.h"

namespace apiquota::simulate {

class Account {
 public:
  // `first_call`: the scope's.
  Account(const LimitOptions& options, SystemTime first_call);

  const Counter& counter() const { return *counter_; }

  // Until the call is admitted, by what it is charged when it comes.
  std::optional<Micros> WaitFor(const CallCost& asked, SystemTime now) const;
  bool NeverFits(const CallCost& asked) const;

  void Admit(const CallCost& asked, SystemTime now);
  // `by_us`: this limit had no room; `counted`: as if it had been admitted.
  void Refuse(const CallCost& asked, bool by_us, bool counted, SystemTime now);
  void End(const CallCost& asked, const CallCost& actual, SystemTime admitted_at, SystemTime now);

  // Adds to `truth` what this scope had, and could have had from its first call until `until`.
  void AddTo(LimitTruth* truth, SystemTime until) const;

 private:
  double StartCost(const CallCost& asked) const;
  WindowTruth& WindowAt(SystemTime now);
  void Charge(double cost, SystemTime now);
  void KeepSlotTime(SystemTime now);

  LimitOptions options_;
  std::unique_ptr<Counter> counter_;
  SystemTime first_call_;
  SystemTime slots_at_;  // until when `used_` has the slots' time
  uint64_t admitted_ = 0, refused_ = 0, violations_ = 0, windows_left_out_ = 0;
  double used_ = 0;
  std::deque<WindowTruth> windows_;
};

// What a client that knows everything could have of one limit alone, from its first call until `until`: all
// of it in each window that has begun; of a bucket what it held and what has come since; of concurrency
// seconds of slots.
double PossibleOf(const LimitOptions& options, SystemTime first_call, SystemTime until);

// Requests that pass all of `limits` at once, each as early as it can.
double PossibleTogether(const std::vector<LimitOptions>& limits, SystemTime first_call, SystemTime until);

}  // namespace apiquota::simulate
