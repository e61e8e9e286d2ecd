// The words for how far the guard goes, in files and flags alike.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "guard/options.h"

namespace apiquota::config {

inline constexpr std::pair<std::string_view, guard::Mode> kGuardModes[] = {
    {"off", guard::Mode::kOff}, {"shadow", guard::Mode::kShadow}, {"on", guard::Mode::kOn}};

inline constexpr std::string_view kGuardModeExpected = "one of off, shadow, on";

constexpr std::optional<guard::Mode> ParseGuardMode(std::string_view text) {
  for (const auto& [word, mode] : kGuardModes) {
    if (word == text) return mode;
  }
  return std::nullopt;
}

}  // namespace apiquota::config
