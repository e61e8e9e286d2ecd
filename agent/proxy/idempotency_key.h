// An Idempotency-Key for requests whose client brings none, where the operator says so
// (guard.retry.add_idempotency_key): the API carries out one of the attempts with it and answers the others
// alike (the httpapi working group's draft-ietf-httpapi-idempotency-key-header; Stripe's is the best known).
#pragma once

#include <string>
#include <string_view>

#include "guard/options.h"
#include "http/codec.h"

namespace apiquota::proxy {

inline constexpr std::string_view kIdempotencyKey = "idempotency-key";

// Whether the request gets one. `path`: as sent upstream, without its query. Pure; thread-safe.
bool GetsIdempotencyKey(const guard::Options& options, const http::RequestHead& head, std::string_view path);

// A random UUID (RFC 9562 section 5.4). Asks the kernel; thread-safe.
std::string RandomUuid();

}  // namespace apiquota::proxy
