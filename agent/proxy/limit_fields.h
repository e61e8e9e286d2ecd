// What an answer says of the operator's own limits, so that clients can keep to them: RateLimit and
// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), whose policies are named apiquota-…, and the older
// X-RateLimit-Limit, -Remaining and -Reset where the API sends none: of two values some clients can't tell
// which is meant. Pure; thread-safe.
#pragma once

#include <span>

#include "guard/own_limits.h"
#include "http/fields.h"

namespace apiquota::proxy {

void AddLimitFields(std::span<const guard::LimitStanding> standings, http::Fields* fields);

}  // namespace apiquota::proxy
