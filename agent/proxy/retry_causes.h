// Whether sending a request once more may help, and for what cause (docs/guard.md, "Retry"). Pure;
// thread-safe.
#pragma once

#include <optional>

#include "guard/breaker.h"
#include "guard/values.h"
#include "metrics/reasons.h"
#include "provider/signals.h"

namespace apiquota::proxy {

// Of an answer with this status, in which a throttle was recognised or none (null).
std::optional<guard::RetryCause> CauseOfAnswer(int status, const provider::Throttle* throttle);

// Of an attempt without a (whole) answer. What fails again for certain, and what is the agent's own limit, is
// none.
std::optional<guard::RetryCause> CauseOfFailure(metrics::UpstreamError error);

// What an attempt showed of its API's health (docs/guard.md, "Breaker"): 5xx, failed and broken connections
// and timeouts are ill, a throttle is not.
guard::Health HealthOf(int status, const provider::Throttle* throttle);
guard::Health HealthOf(metrics::UpstreamError error);

}  // namespace apiquota::proxy
