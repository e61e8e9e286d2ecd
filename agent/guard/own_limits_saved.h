// What the operator's own limits keep over a restart, as values (guard/persist.h writes them). Of who has
// used them there is a digest and no name; the key it was made under stands beside it, so that the same
// client is known again. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/keyed_hash.h"

namespace apiquota::guard {

inline constexpr size_t kSavedMost = 10'000;        // subjects of a rule, the most used
inline constexpr size_t kSavedSendsMost = 100'000;  // of a rule

struct SavedUse {
  uint64_t subject = 0;
  double used = 0;  // fixed
  SystemTime at;    // fixed: its window's begin; gcra: when all has come back
  std::vector<std::pair<SystemTime, double>> sends;  // sliding, in the order of their times

  friend bool operator==(const SavedUse&, const SavedUse&) = default;
};

// One rule's; `rule` is a digest of what must be the same for it to go on, `match` of what it is for.
struct SavedOwnLimit {
  std::string name;
  uint64_t rule = 0, match = 0;
  std::vector<SavedUse> uses;

  friend bool operator==(const SavedOwnLimit&, const SavedOwnLimit&) = default;
};

struct SavedOwnLimits {
  HashKey key;
  std::vector<SavedOwnLimit> limits;

  friend bool operator==(const SavedOwnLimits&, const SavedOwnLimits&) = default;
};

// Puts all times on a clock that is ahead by so much.
void Move(Micros by, SavedOwnLimits* saved);

}  // namespace apiquota::guard
