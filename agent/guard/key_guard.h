// All that protects one key of one API: its quotas, its queues, its cooldowns, its retries. Asked about each
// request, told what becomes of it. Pure: `now` in, decisions out. Not thread-safe: Guard holds the lock.
//
// A ticket is what an admitted request holds. It ends in one of three ways: Settle (its answer is complete),
// Release (anything else), or, if it asks again after a refusal, Release and another Ask.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "guard/decision.h"
#include "guard/options.h"
#include "guard/persist.h"
#include "guard/token_model.h"
#include "guard/values.h"
#include "quota/options.h"

namespace apiquota::guard {

struct QueueView {
  std::string resource;
  size_t depth = 0;
  std::optional<SystemTime> oldest;    // when the one that waits longest came
  std::optional<SystemTime> deadline;  // the first of theirs
};

struct CooldownView {
  std::string resource;
  std::string evidence;
  SystemTime until;
  uint64_t probes = 0;
};

struct LimitView {
  std::string resource, quota, unit;
  std::optional<double> limit, available;
  std::optional<double> window_seconds;
  double reserved = 0;
};

// Requests under way at a time (options: concurrency).
struct SlotsView {
  size_t in_use = 0;  // polls and what was begun before the limit fell may make it more than the limit
  size_t limit = 0;   // now
  size_t max = 0;     // as written: an adaptive limit is never above it
};

// What it holds now, for /metrics and /api/v1/guard.
struct KeyView {
  size_t in_flight = 0;
  size_t waiting = 0;              // in queues, and for another attempt
  std::optional<SlotsView> slots;  // nothing: concurrency is not limited
  std::vector<QueueView> queues;
  std::vector<CooldownView> cooldowns;
  std::vector<LimitView> limits;
  std::optional<Decision> last;       // nothing: nobody has asked
  std::optional<Decision> last_held;  // that was no plain allow
};

class KeyGuard {
 public:
  // `seed` is of its jitter. `named_by_answer`: only answers name the resource of a request.
  KeyGuard(Options options, std::vector<quota::DeclaredLimit> declared, bool named_by_answer, uint64_t seed);
  ~KeyGuard();

  // Admitted, queued or refused. What is not admitted has changed nothing else.
  Verdict Ask(const Request& request, SystemTime now);
  // What Ask would refuse it for now; nothing: it would go or wait. Takes nothing.
  std::optional<Refusal> WouldRefuse(const Request& request, SystemTime now) const;
  // Taken whatever the state says; the verdict is what Ask would have said (`id`: the ticket in any case).
  // For shadows.
  Verdict Judge(const Request& request, SystemTime now);
  // Taken, and nothing is decided: for polls, which never wait.
  Id Take(const Request& request, SystemTime now);

  void Sent(Id ticket, SystemTime now);
  // The signals of its answer are known: of a document's after its body.
  void Answered(Id ticket, const Answer& answer, SystemTime now);
  // Its answer is complete; `cost` if it said its usage.
  void Settle(Id ticket, const std::optional<TokenCost>& cost, SystemTime now);
  // It has ended otherwise. What was never sent comes back whole; what was sent stands at what was reserved.
  void Release(Id ticket, SystemTime now);
  RetryVerdict AskRetry(const RetryAsk& ask, SystemTime now);

  void Leave(Id waiter, SystemTime now);  // its client has left; unknown ids are ignored
  // Everybody who may go, or can't any more. Called after every other call that may free something, and when
  // NextAt has come.
  void Advance(SystemTime now, std::vector<Grant>* grants);
  // When Advance has something to do at the earliest; nothing: only after another call.
  std::optional<SystemTime> NextAt(SystemTime now) const;

  // The agent stops: whoever can't go before `until` is refused (503), and so is who comes from now on.
  void Drain(SystemTime until, SystemTime now, std::vector<Grant>* grants);

  TokenModel ModelOf(std::string_view resource, std::string_view route) const;
  KeyView View(SystemTime now) const;
  size_t waiting() const;
  // How many wait for other keys of the api: the bound of its queue is for all of them.
  void SetWaitingElsewhere(size_t waiting);
  bool idle(SystemTime now) const;  // nothing is held, waited for or remembered that matters

  // Sends and cooldowns over a restart; before the first question.
  SavedKey Save(SystemTime now) const;
  void Restore(const SavedKey& saved);

  // Another configuration: waiters stay with their deadlines.
  void Configure(Options options, std::vector<quota::DeclaredLimit> declared);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apiquota::guard
