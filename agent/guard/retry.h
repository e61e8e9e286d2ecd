// Whether and when a request is sent once more (docs/guard.md, "Retry"). Pure; no thread-safety of its own.
#pragma once

#include <array>
#include <deque>

#include "base/clock.h"
#include "guard/options.h"
#include "guard/values.h"

namespace apiquota::guard {

// How much may be spent on further attempts, for one cause: a share of requests, and 3 a second at least.
// Credits live 10 s.
class RetryBudget {
 public:
  void Deposit(double share, SystemTime now);  // one request came
  bool Withdraw(SystemTime now);

 private:
  static constexpr size_t kSlots = 10;  // a second each
  struct Slot {
    int64_t second = -1;
    double earned = 0;
    double spent = 0;
  };
  Slot& SlotOf(SystemTime now);

  std::array<Slot, kSlots> slots_{};
};

class Retries {
 public:
  void Requested(const RetryOptions& options, SystemTime now);  // a first attempt
  // `random` is from 0 to 1.
  RetryVerdict Decide(const RetryAsk& ask, const RetryOptions& options, double random, SystemTime now);

 private:
  std::array<RetryBudget, kRetryCauses> budgets_;
};

// What a client waits for its answer: header `deadline_header`, `x-stainless-read-timeout`,
// `x-stainless-timeout` (seconds), `grpc-timeout` (its own form, as in the gRPC protocol over HTTP/2).
std::optional<Micros> ClientTimeout(std::string_view name, std::string_view value);

// By when a wait must have ended: the queue's max_wait; of a client's own time at most half, and not what the
// first byte takes as a rule.
SystemTime DeadlineFor(std::optional<Micros> client_timeout, const QueueOptions& options,
                       std::optional<Micros> median_first_byte, SystemTime now);

}  // namespace apiquota::guard
