// What a world asks: one KeyGuard, two that must agree, or a Guard. Ids are the subject's own. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guard/key_guard.h"
#include "world_scenario.h"

namespace apiquota::world {

class Subject {
 public:
  virtual ~Subject() = default;
  virtual guard::Verdict Ask(const guard::Request& request, SystemTime now) = 0;
  virtual void Sent(guard::Id ticket, SystemTime now) = 0;
  virtual void Answered(guard::Id ticket, const guard::Answer& answer, SystemTime now) = 0;
  virtual void Settle(guard::Id ticket, const std::optional<guard::TokenCost>& cost, SystemTime now) = 0;
  virtual void Release(guard::Id ticket, SystemTime now) = 0;
  virtual guard::RetryVerdict AskRetry(const guard::RetryAsk& ask, SystemTime now) = 0;
  // For a poll: a ticket, whatever the state says.
  virtual guard::Id Poll(const guard::Request& request, SystemTime now) = 0;
  virtual void Leave(guard::Id waiter, SystemTime now) = 0;
  virtual void Advance(SystemTime now, std::vector<guard::Grant>* grants) = 0;
  virtual std::optional<SystemTime> NextAt(SystemTime now) const = 0;
  virtual guard::TokenModel ModelOf(std::string_view resource, std::string_view route) const = 0;
  virtual guard::KeyView View(SystemTime now) const = 0;
  virtual void Configure(const Scenario& scenario, SystemTime now) = 0;
  virtual void Drain(SystemTime until, SystemTime now, std::vector<guard::Grant>* grants) = 0;
  // The process ends, and another begins with what was saved: tickets and waiters are gone.
  virtual void Restart(SystemTime) {}
  // Where two that must not differ did.
  virtual std::string TakeDifference() { return {}; }
};

// Two that are asked the same and must answer the same; `ghosts`: the second is also asked what it must
// refuse.
std::unique_ptr<Subject> MakePair(std::unique_ptr<Subject> first, std::unique_ptr<Subject> second,
                                  bool ghosts);
std::unique_ptr<Subject> MakeSubject(const Scenario& scenario, uint64_t seed, SystemTime now);

}  // namespace apiquota::world
