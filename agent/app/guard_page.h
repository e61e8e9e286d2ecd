// What the admin side's pages know of the guard: read for each of them, and on /metrics as much of it as
// fits.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cache/api_cache.h"
#include "expose/facts.h"
#include "expose/guard_facts.h"
#include "guard/guard.h"
#include "metrics/agent_metrics.h"

namespace apiquota::app {

// So many uses of each limit are told of an api, the most used first.
inline constexpr size_t kLimitUsesMost = 100;

// What is remembered, by api; in running time.
using CacheViews = std::map<std::string, cache::CacheView>;

// Of those of `apis` that are guarded, or whose shadow is judged; of those that nobody configured, only where
// somebody has used them.
expose::GuardFacts ReadGuard(const guard::Guard& guard, const CacheViews& caches,
                             const std::vector<expose::ApiFacts>& apis, const metrics::AgentMetrics& metrics,
                             RunningTime now);

// Room on a page for the guard's gauges, taken out of their apis' shares and given back when it goes. Keys
// that have no room are taken out of the facts, counted and told, and so are uses of limits; what all keys of
// an api do together stays true.
class BorrowedSeries {
 public:
  BorrowedSeries(metrics::Registry& registry, expose::GuardFacts* facts);
  ~BorrowedSeries();
  BorrowedSeries(const BorrowedSeries&) = delete;
  BorrowedSeries& operator=(const BorrowedSeries&) = delete;

 private:
  bool TakeOrTell(const std::string& api, size_t series, std::string_view family);

  metrics::Registry& registry_;
  std::vector<std::pair<std::string, size_t>> taken_;
};

}  // namespace apiquota::app
