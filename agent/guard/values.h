// What the guard is asked and what it answers, as values. All times are running time (base/clock.h); all
// spans are microseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::guard {

// Names a ticket or a waiter of one KeyGuard; 0: none. Never used twice.
using Id = uint64_t;

// What made a request wait, or refused it: a closed list, the value of `reason` in apiquota-delay and of the
// label `rule` of apiquota_decisions_total.
enum class Reason : uint8_t {
  kNone,
  kPace,         // a quota has not enough left
  kRetryAfter,   // the API said when
  kCooldown,     // the API refused without saying when, or a probe is out
  kQueue,        // others were first; refused: the queue is full
  kRamp,         // a limit recovers, and its waiters leave one after the other
  kRetry,        // a second attempt is due, but not yet
  kCold,         // nothing is known of the key yet
  kConcurrency,  // as many are under way as may be
  kLimit,        // a limit of the operator's own
  kBreaker,      // the API is ill
};
inline constexpr size_t kReasons = 11;
// pace retry_after cooldown queue ramp retry pace concurrency limit breaker
std::string_view ToText(Reason reason);

// What a request takes of quotas in tokens; `counted` of those that are neither of input nor of output alone.
struct TokenCost {
  double input = 0;
  double output = 0;
  double counted = 0;

  friend bool operator==(const TokenCost&, const TokenCost&) = default;
};

// One request as it asks for its turn.
struct Request {
  std::string_view resource = {};  // as the request names it; empty: it does not
  std::string_view route = {};   // method and path with its ids folded (route_of.h): what it is remembered by
  std::string_view flow = {};    // whose it is, for fairness: the caller, else the key
  uint8_t urgency = 3;           // 0 (first) to 7 (last), RFC 9218 section 4.1
  TokenCost tokens = {};         // reserved; a guess unless `capped`
  bool capped = false;           // the API charges these tokens when the request comes
  bool charged_at_start = true;  // the API counts it whole by the time its answer's head comes
  double text_bytes = 0;         // of its body: what the tokens of its input are learned by
  SystemTime deadline = {};      // its wait must have ended by then
  SystemTime not_before = {};    // of another attempt
  bool again = false;            // another attempt: before all others of its queue
  uint32_t home = 0;             // the event loop that owns it; comes back with its grant
};

// Why a request is refused, in the numbers of the one rule that did.
struct Refusal {
  Reason reason = Reason::kNone;
  int status = 429;             // 503: queue full, breaker open, agent stopping
  SystemTime until;             // when it could have gone; not before now
  std::string resource, quota;  // of the rule; empty: no quota's
  std::optional<double> limit;
  std::optional<double> window_seconds;
  bool never_fits = false;  // it costs more than there can ever be
  std::string lacks = {};   // kLimit: the part of the limit's `by` that the request does not have
};

struct Verdict {
  enum class Kind : uint8_t { kAdmit, kQueued, kRefuse };
  Kind kind = Kind::kAdmit;
  Id id = 0;                            // of the ticket, or of the waiter
  Reason reason = Reason::kNone;        // why it waits
  std::string_view quota = {};          // … for which; valid until the next call
  std::optional<Refusal> refusal = {};  // kRefuse
};

// A wait that is over: it has a ticket, or it can't be served before its deadline any more.
struct Grant {
  Id waiter = 0;
  uint32_t home = 0;
  Id ticket = 0;
  std::optional<Refusal> refusal;
  Reason reason = Reason::kNone;  // what it waited for longest
  std::string quota;
  Micros waited{};
};

// What an answer says to the guard, once its head (or, of a document, its body) has been looked at.
struct Answer {
  int status = 0;
  SystemTime received_at;
  std::optional<SystemTime> date;  // the upstream's clock
  std::string_view resource;       // as the answer names it; empty: it does not
  std::span<const provider::Reading> readings;
  const provider::Throttle* throttle = nullptr;
  std::optional<double> retry_after_seconds;
};

// Why a request is to be sent once more.
enum class RetryCause : uint8_t {
  kThrottle,   // refused: it was not carried out (RFC 9110 section 9.2.2)
  kTransient,  // 5xx, or the connection broke, and it is not known whether it was
  kUnsent,     // nothing had been sent
};
inline constexpr size_t kRetryCauses = 3;
std::string_view ToText(RetryCause cause);  // throttle transient unsent

struct RetryAsk {
  RetryCause cause = RetryCause::kThrottle;
  int attempts = 1;         // made so far
  bool repeatable = false;  // by its method (RFC 9110 section 9.2.2) or its Idempotency-Key
  bool body_kept = true;    // all of it that was sent
  std::optional<double> retry_after_seconds;
  SystemTime deadline;
};

// When it may ask for its turn again; or why it may not.
struct RetryVerdict {
  enum class Kind : uint8_t { kRetry, kAttempts, kBudget, kNotRepeatable, kBodyNotKept, kDeadline, kOff };
  Kind kind = Kind::kRetry;
  SystemTime not_before;
};
std::string_view ToText(RetryVerdict::Kind kind);  // retried attempts budget not_repeatable body deadline off

}  // namespace apiquota::guard
