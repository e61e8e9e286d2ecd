// When tests of the guard begin.
#pragma once

#include "base/clock.h"

namespace apiquota::guard {

inline constexpr SystemTime kStart{std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)};

}  // namespace apiquota::guard
