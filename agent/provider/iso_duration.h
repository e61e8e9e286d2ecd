// ISO 8601 durations: "PT1M30S", "P1D", "PT0.5S", "P2W".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace apiquota::provider {

// The whole text, upper case, parts in order, at least one; only the last part may have a fraction ("." or
// ","). Years and months have no fixed length and are refused; so is anything beyond 100 years.
std::optional<Micros> ParseIsoDuration(std::string_view text);

// "PT90S": whole seconds, rounded down. REQUIRES: not negative.
std::string FormatIsoDuration(Micros duration);

}  // namespace apiquota::provider
