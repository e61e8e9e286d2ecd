// What renderings know of the guard: what it holds, of those apis that are guarded, and what it has decided
// since the start. Values; times are of the system clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cache/api_cache.h"
#include "guard/guard.h"
#include "guard/options.h"

namespace apiquota::expose {

// The queues of one api, all keys together.
struct QueueFacts {
  size_t depth = 0;                    // further attempts that wait for their time included
  std::optional<SystemTime> oldest;    // when the one came that waits longest; nothing: nobody waits
  std::optional<SystemTime> deadline;  // the first by which one must have gone or be told; likewise
};

// What one api's memory did since the start, by result and unit as on /metrics, and what it holds.
struct CacheFacts {
  cache::CacheView view;
  std::map<std::string, uint64_t> requests;
  std::map<std::string, uint64_t> saved;
};

// How long ago the first of its deadlines has passed; 0 unless something is stuck.
double OverdueSeconds(const QueueFacts& queue, SystemTime now);

struct GuardedFacts {
  std::string api;
  guard::Options options;
  std::optional<QueueFacts> queue = {};  // nothing: nobody has asked yet
  guard::ApiView whole = {};             // what holds for the api as a whole
  std::optional<CacheFacts> cache = {};  // nothing: it remembers nothing
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

// What holds for apis as a whole, as the guard tells it; of those that are not among the facts nothing.
void AddApiViews(std::vector<guard::ApiView> views, Micros ahead, GuardFacts* facts);

// What is remembered, by api.
void AddCaches(std::map<std::string, CacheFacts> caches, Micros ahead, GuardFacts* facts);

// Uses of limits in force that are series: of those whose every part is a caller or a key, and known by name.
// Who comes with an address or a header is not known beforehand, and there may be a million of them.
struct LimitSeries {
  const std::string& limit;
  const guard::LimitUse& use;
};
std::vector<LimitSeries> LimitSeriesOf(const GuardedFacts& api);

// How many series an account is on /metrics at most; the limits of the operator's own of an api; and its
// queue, its breaker and its cache, the latter with their lines of apiquota_degraded.
size_t SeriesOf(const guard::AccountView& account);
size_t SeriesOfLimits(const GuardedFacts& api);
inline constexpr size_t kSeriesOfQueue = 4;
inline constexpr size_t kSeriesOfBreaker = 3;
inline constexpr size_t kSeriesOfCache = 6;

}  // namespace apiquota::expose
