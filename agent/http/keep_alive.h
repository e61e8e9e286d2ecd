// How long the sender of a message keeps the connection while nothing comes: "Keep-Alive: timeout=5, max=100"
// (RFC 2068 19.7.1.1). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace apiquota::http {

// The least `timeout` of a Keep-Alive field's value, a day at most; nothing if there is none that is a number
// of seconds.
std::optional<Micros> KeepAliveTimeout(std::string_view value);

}  // namespace apiquota::http
