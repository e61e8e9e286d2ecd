#include "metrics/cache_metrics.h"

#include <cmath>
#include <utility>

namespace apiquota::metrics {

std::string_view ToText(CacheResult result) {
  constexpr std::array<std::string_view, kCacheResults> kWords = {
      "hit", "miss", "revalidated", "stale", "coalesced", "bypass", "shadow_hit"};
  return kWords[static_cast<size_t>(result)];
}

CacheMetrics::CacheMetrics(AgentMetrics& families, std::string api)
    : families_(families), api_(std::move(api)) {
  Requests(CacheResult::kHit);
  Requests(CacheResult::kMiss);
  Saved(false);
}

Counter& CacheMetrics::Requests(CacheResult result) {
  return requests_[static_cast<size_t>(result)].Get(
      [&] { return families_.cache_requests.With({api_, std::string(ToText(result))}); });
}

Counter& CacheMetrics::Saved(bool tokens) {
  return saved_[tokens ? 1 : 0].Get(
      [&] { return families_.quota_saved.With({api_, tokens ? "tokens" : "requests"}); });
}

void CacheMetrics::CountSaved(std::optional<double> tokens) {
  Saved(false).Add();
  if (tokens && *tokens >= 1) Saved(true).Add(static_cast<uint64_t>(std::llround(*tokens)));
}

}  // namespace apiquota::metrics
