// What one api's cache did, as counters whose handles are found once and kept. Made when the cache is first
// asked about the api (ApiMetrics::cache()), so an api without one has none of these series. Thread-safe;
// lives as long as its ApiMetrics.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "metrics/agent_metrics.h"

namespace apiquota::metrics {

// What came of a request that reached a cache, each once.
enum class CacheResult : uint8_t {
  kHit,          // answered from memory
  kMiss,         // the API was asked, and answered
  kRevalidated,  // … and confirmed what was kept (304)
  kStale,        // what was kept, past its time, because the API failed or could not be asked
  kCoalesced,    // with the answer to somebody else's identical request
  kBypass,       // not to be answered from memory: its method, its fields, or too large
  kShadowHit,    // would have been answered from memory (mode: shadow)
};
inline constexpr size_t kCacheResults = 7;
std::string_view ToText(CacheResult result);

class CacheMetrics {
 public:
  CacheMetrics(AgentMetrics& families, std::string api);  // hits and misses are at 0 from the start

  void Count(CacheResult result) { Requests(result).Add(); }
  // A request that took nothing of any quota; `tokens` that it would have taken, if that is known.
  void CountSaved(std::optional<double> tokens);

 private:
  Counter& Requests(CacheResult result);
  Counter& Saved(bool tokens);

  AgentMetrics& families_;
  const std::string api_;
  std::array<LazyChild<Counter>, kCacheResults> requests_;
  std::array<LazyChild<Counter>, 2> saved_;
};

}  // namespace apiquota::metrics
