// RFC 3339 timestamps: "2025-06-23T10:26:56Z", with fraction or offset.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace apiquota::provider {

// The whole text; `t`, `z` and a space for `T` are allowed (RFC 3339 5.6). Also as many APIs write it: to the
// minute, with "+0000", "+02" or " UTC" for an offset, or with none, which is UTC. Years 1970 to 9999.
std::optional<SystemTime> ParseRfc3339(std::string_view text);

// "2025-06-23T10:26:56Z", whole seconds, rounded down.
std::string FormatRfc3339(SystemTime time);

}  // namespace apiquota::provider
