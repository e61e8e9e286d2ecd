#include "guard/values.h"

namespace apiquota::guard {

std::string_view ToText(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kPace:
    case Reason::kCold:
      return "pace";
    case Reason::kRetryAfter:
      return "retry_after";
    case Reason::kCooldown:
      return "cooldown";
    case Reason::kQueue:
      return "queue";
    case Reason::kRamp:
      return "ramp";
    case Reason::kRetry:
      return "retry";
    case Reason::kConcurrency:
      return "concurrency";
    case Reason::kLimit:
      return "limit";
    case Reason::kBreaker:
      return "breaker";
  }
  return "none";
}

std::string_view ToText(RetryCause cause) {
  switch (cause) {
    case RetryCause::kThrottle:
      return "throttle";
    case RetryCause::kTransient:
      return "transient";
    case RetryCause::kUnsent:
      return "unsent";
  }
  return "unsent";
}

std::string_view ToText(RetryVerdict::Kind kind) {
  switch (kind) {
    case RetryVerdict::Kind::kRetry:
      return "retried";
    case RetryVerdict::Kind::kAttempts:
      return "attempts";
    case RetryVerdict::Kind::kBudget:
      return "budget";
    case RetryVerdict::Kind::kNotRepeatable:
      return "not_repeatable";
    case RetryVerdict::Kind::kBodyNotKept:
      return "body";
    case RetryVerdict::Kind::kDeadline:
      return "deadline";
    case RetryVerdict::Kind::kOff:
      return "off";
  }
  return "off";
}

}  // namespace apiquota::guard
