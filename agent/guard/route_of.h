// What a request is remembered by where only answers name the resource it counts against, and what a call
// costs (docs/guard.md): its method and its path with ids folded. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace apiquota::guard {

// No route is longer; a path that would be ends with the last whole segment that fits and "/...".
inline constexpr size_t kLongestRoute = 160;

// "GET /repos/apache/arrow/issues/*" of "GET" and "/repos/apache/arrow/issues/4711?page=2". Folded is a
// segment that is a number, at least eight hexadecimal digits, a UUID, a mail address, longer than 24 with a
// digit in it, or of at least 16 letters of both cases and digits in no order, as random ids and secrets are.
// The query is left out, and of an absolute URI scheme and authority (RFC 9112 section 3.2.2).
std::string RouteOf(std::string_view method, std::string_view target);

}  // namespace apiquota::guard
