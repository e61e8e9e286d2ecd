// How long an answer is fresh and how old it is (RFC 9111 section 4.2), by what its head says. Pure;
// thread-safe.
#pragma once

#include <optional>

#include "base/clock.h"
#include "cache/cache_control.h"
#include "http/codec.h"

namespace apiquota::cache {

// Statuses whose answers may be kept without being told how long they hold (RFC 9110 section 15.1). 206 is
// one of them and is not kept at all.
bool HeuristicallyCacheable(int status);

// Of Age what counts (section 5.1): the first member; what is no number is left out.
Micros StatedAge(const http::Fields& fields);

// Expires less Date (section 5.3); nothing without Expires. Said twice, or no date: expired. `system_now`:
// takes the place of a Date that is missing or none.
std::optional<Micros> ExpiresLifetime(const http::Fields& fields, SystemTime system_now);

// Section 4.2.1, for a private cache; heuristic where nothing is said (section 4.2.2): a tenth of the time
// since Last-Modified, at most a day.
Micros Lifetime(const http::ResponseHead& head, const ResponseDirectives& said, SystemTime system_now);

// corrected_initial_age (section 4.2.3). `asked_at`, `received_at` by the system clock.
Micros InitialAge(const http::Fields& fields, Micros stated_age, SystemTime asked_at, SystemTime received_at);

}  // namespace apiquota::cache
