// Durations as configuration, flags and several providers write them: Go's form, "60s", "1h30m",
// "250ms", "6m0s".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace apiquota {

// One or more <decimal><unit>, units ns us µs ms s m h d w; the whole text, no sign, no spaces; "0"
// alone is allowed. Nothing on anything else or beyond 100 years.
std::optional<Micros> ParseDuration(std::string_view text);

// The shortest such text: 90 s → "1m30s", 250 ms → "250ms", 0 → "0s". A negative one begins with
// "-", which ParseDuration does not read.
std::string FormatDuration(Micros duration);

}  // namespace apiquota
