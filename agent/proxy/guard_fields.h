// What the guard wants to know of a request's head: how long its client waits, how urgent it is, and whether
// it may be sent twice. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "guard/options.h"
#include "http/codec.h"

namespace apiquota::proxy {

// The least of what the client says of its own timeout; nothing: it does not.
std::optional<Micros> ClientTimeoutOf(const http::Fields& fields, const guard::QueueOptions& options);

// `Priority: u=` (RFC 9218 section 4.1), where the operator trusts it and it can be read; else `usual`.
uint8_t UrgencyOf(const http::Fields& fields, const guard::QueueOptions& options, uint8_t usual);

// By its method (RFC 9110 section 9.2.2), or because it names itself (Idempotency-Key).
bool Repeatable(const http::RequestHead& head);

// An SDK says that it has asked for this before.
bool RetriedByClient(const http::Fields& fields);

}  // namespace apiquota::proxy
