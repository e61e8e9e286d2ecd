// The words for how far the guard goes, in files and flags alike.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "guard/options.h"

namespace apiquota::config {

inline constexpr std::array<std::pair<std::string_view, guard::Mode>, 3> kGuardModes = {
    {{"off", guard::Mode::kOff}, {"shadow", guard::Mode::kShadow}, {"on", guard::Mode::kOn}}};

}  // namespace apiquota::config
