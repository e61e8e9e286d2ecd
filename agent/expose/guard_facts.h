// What renderings know of the guard: what it holds, of those apis that are guarded, and what it has decided
// since the start. Values; times are of the system clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/guard.h"
#include "guard/options.h"

namespace apiquota::expose {

// The queues of one api, all keys together.
struct QueueFacts {
  size_t depth = 0;                  // further attempts that wait for their time included
  std::optional<SystemTime> oldest;  // when the one came that waits longest; nothing: nobody waits
};

struct GuardedFacts {
  std::string api;
  guard::Options options;
  std::optional<QueueFacts> queue = {};  // nothing: nobody has asked yet
};

// So many requests of an api were decided upon so: labels of apiquota_decisions_total.
struct DecisionCount {
  std::string api, rule, decision, mode;
  uint64_t count = 0;
};

struct GuardFacts {
  std::vector<GuardedFacts> apis;            // sorted by name
  std::vector<guard::AccountView> accounts;  // sorted by api, key
  std::vector<DecisionCount> decisions;      // in the order of the labels
};

// Accounts as the guard tells them, in running time, which the system clock is ahead of; those of apis that
// are not among `apis` are left out.
GuardFacts MakeGuardFacts(std::vector<GuardedFacts> apis, std::vector<guard::AccountView> accounts,
                          Micros ahead, std::vector<DecisionCount> decisions);

// How many series an account is on /metrics at most; and the queue of an api.
size_t SeriesOf(const guard::AccountView& account);
inline constexpr size_t kSeriesOfQueue = 3;

}  // namespace apiquota::expose
