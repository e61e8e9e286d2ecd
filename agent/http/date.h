// HTTP-date, RFC 9110 5.6.7: the three forms a recipient must accept, and the one a sender writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace apiquota::http {

// IMF-fixdate, RFC 850 (two-digit years: more than 50 years ahead of `now` means the past century), asctime.
// Strict: weekday and month names must be right, the day must exist; the weekday itself is not checked.
std::optional<SystemTime> ParseHttpDate(std::string_view text, SystemTime now);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string FormatHttpDate(SystemTime time);

}  // namespace apiquota::http
