#include "app/guard_page.h"

#include <set>

#include "base/known_names.h"

namespace apiquota::app {
namespace {

constexpr char kQueueFamily[] = "apiquota_queue_depth";
constexpr char kBreakerFamily[] = "apiquota_breaker_open";
constexpr char kCacheFamily[] = "apiquota_cache_bytes";
constexpr char kLimitFamily[] = "apiquota_limit_used_ratio";
constexpr char kKeyFamily[] = "apiquota_inflight_requests";

std::vector<expose::DecisionCount> Decisions(const metrics::AgentMetrics& metrics) {
  std::vector<expose::DecisionCount> decisions;
  metrics.guard_decisions.ForEach(
      [&](const std::vector<std::string>& labels, const metrics::Counter& counter) {
        decisions.push_back({labels[0], labels[1], labels[2], labels[3], counter.Value()});
      });
  return decisions;
}

// api → the family's other label → count.
std::map<std::string, std::map<std::string, uint64_t>> ByApi(
    const metrics::Family<metrics::Counter>& family) {
  std::map<std::string, std::map<std::string, uint64_t>> counts;
  family.ForEach([&](const std::vector<std::string>& labels, const metrics::Counter& counter) {
    counts[labels[0]][labels[1]] = counter.Value();
  });
  return counts;
}

std::map<std::string, expose::CacheFacts> Caches(const CacheViews& views,
                                                 const metrics::AgentMetrics& metrics) {
  std::map<std::string, expose::CacheFacts> caches;
  if (views.empty()) return caches;
  auto requests = ByApi(metrics.cache_requests);
  auto saved = ByApi(metrics.quota_saved);
  for (const auto& [api, view] : views) caches[api] = {view, std::move(requests[api]), std::move(saved[api])};
  return caches;
}

std::set<std::string> ImpliedOnes(const std::vector<expose::ApiFacts>& apis) {
  std::set<std::string> names;
  for (const expose::ApiFacts& api : apis) {
    if (api.implied) names.insert(api.name);
  }
  return names;
}

// What somebody used whom the configuration does not know any more, is no series.
void ForgetUnknown(const KnownNames& names, expose::GuardedFacts* api) {
  for (guard::LimitRuleView& limit : api->whole.limits) {
    std::erase_if(limit.uses, [&](const guard::LimitUse& use) {
      const bool key_known = use.key.empty() || names.Key(api->api, use.key);
      return !key_known || !names.Caller(api->api, use.caller);
    });
  }
}

}  // namespace

expose::GuardFacts ReadGuard(const guard::Guard& guard, const CacheViews& caches,
                             const std::vector<expose::ApiFacts>& apis, const metrics::AgentMetrics& metrics,
                             RunningTime now) {
  std::vector<expose::GuardedFacts> guarded;
  for (const expose::ApiFacts& api : apis) {
    if (api.guard.active()) guarded.push_back({api.name, api.guard});
  }
  if (guarded.empty()) return {};
  expose::GuardFacts facts =
      expose::MakeGuardFacts(std::move(guarded), guard.View(now.at), now.system_ahead, Decisions(metrics));
  expose::AddApiViews(guard.ViewApis(now.at, kLimitUsesMost), now.system_ahead, &facts);
  expose::AddCaches(Caches(caches, metrics), now.system_ahead, &facts);
  const std::set<std::string> implied = ImpliedOnes(apis);
  std::erase_if(facts.apis, [&](const auto& api) { return !api.queue && implied.contains(api.api); });
  return facts;
}

BorrowedSeries::BorrowedSeries(metrics::Registry& registry, expose::GuardFacts* facts) : registry_(registry) {
  const auto names = registry.names();
  for (expose::GuardedFacts& api : facts->apis) {
    if (names) ForgetUnknown(*names, &api);
    if (api.queue && !TakeOrTell(api.api, expose::kSeriesOfQueue, kQueueFamily)) api.queue.reset();
    auto& breaker = api.whole.breaker;
    if (breaker && !TakeOrTell(api.api, expose::kSeriesOfBreaker, kBreakerFamily)) breaker.reset();
    if (api.cache && !TakeOrTell(api.api, expose::kSeriesOfCache, kCacheFamily)) api.cache.reset();
    if (TakeOrTell(api.api, expose::SeriesOfLimits(api), kLimitFamily)) continue;
    api.whole.limits.clear();
  }
  std::erase_if(facts->accounts, [&](const guard::AccountView& account) {
    return !TakeOrTell(account.api, expose::SeriesOf(account), kKeyFamily);
  });
}

BorrowedSeries::~BorrowedSeries() {
  for (const auto& [api, series] : taken_) registry_.shares().Return(api, series);
}

bool BorrowedSeries::TakeOrTell(const std::string& api, size_t series, std::string_view family) {
  if (series == 0) return true;
  if (registry_.shares().Take(api, series)) {
    taken_.emplace_back(api, series);
    return true;
  }
  registry_.CountDropped(api, family);
  return false;
}

}  // namespace apiquota::app
