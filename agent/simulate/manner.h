// How truthfully an API speaks about its limits: a clock that is wrong, numbers that are rounded, or not a
// word. Only what is said; what is enforced knows nothing of it, but that an API lives by its own clock.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace apiquota::simulate {

// To whole seconds.
enum class ResetRounding : uint8_t { kUp, kDown, kNearest };
inline constexpr std::array<std::pair<std::string_view, ResetRounding>, 3> kResetRoundingWords = {
    {{"up", ResetRounding::kUp}, {"down", ResetRounding::kDown}, {"nearest", ResetRounding::kNearest}}};

struct Manner {
  Micros skew{0};             // how far the API's clock is ahead: its Date, and all it says as points in time
  double remaining_step = 0;  // what is left is said in whole multiples of it, the nearest; 0: as it is
  std::optional<ResetRounding> resets = {};  // nothing: up, as finely as the format can say
  bool headerless = false;                   // nothing of limits in any answer, and nothing of waiting

  friend bool operator==(const Manner&, const Manner&) = default;
};

// What is said to be left: nothing below 0.
double ToldRemaining(const Manner& manner, double remaining);

// When a reset is said to be, by the API's own clock. `absolute`: said as a point in time; else as a time
// from now, which does not show the clock's fault.
SystemTime ToldReset(const Manner& manner, SystemTime reset_at, bool absolute, SystemTime now);

}  // namespace apiquota::simulate
