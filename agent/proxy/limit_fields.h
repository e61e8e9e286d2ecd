// What an answer says of the operator's own limits, so that clients can keep to them: RateLimit and
// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11), all limits in one list, whose policies are
// named apiquota-…, and the older X-RateLimit-Limit, -Remaining and -Reset of the one with the least left,
// where the API sends none of its own in any spelling: of two values some clients can't tell which is meant.
// The reset of the older ones is in seconds since the epoch, as Flask-Limiter sends it. Pure; thread-safe.
#pragma once

#include <span>

#include "base/clock.h"
#include "guard/own_limits.h"
#include "guard/values.h"
#include "http/fields.h"

namespace apiquota::proxy {

// `system_now`: of the clock that clients have, too.
void AddLimitFields(std::span<const guard::LimitStanding> standings, SystemTime system_now,
                    http::Fields* fields);

// Of a refusal by one of them: that one first, in the same numbers as Retry-After. `wait_seconds` is that.
void AddRefusedLimitFields(const guard::Refusal& refusal, std::span<const guard::LimitStanding> standings,
                           uint64_t wait_seconds, SystemTime system_now, http::Fields* fields);

}  // namespace apiquota::proxy
