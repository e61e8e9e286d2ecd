// The words for how far the guard goes, in files and flags alike.
#pragma once

#include <string_view>
#include <utility>

#include "guard/options.h"

namespace apiquota::config {

inline constexpr std::pair<std::string_view, guard::Mode> kGuardModes[] = {
    {"off", guard::Mode::kOff}, {"shadow", guard::Mode::kShadow}, {"on", guard::Mode::kOn}};

}  // namespace apiquota::config
