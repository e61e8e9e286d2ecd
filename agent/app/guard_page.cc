#include "app/guard_page.h"

#include <set>

namespace apiquota::app {
namespace {

constexpr char kQueueFamily[] = "apiquota_queue_depth";
constexpr char kKeyFamily[] = "apiquota_inflight_requests";

std::vector<expose::DecisionCount> Decisions(const metrics::AgentMetrics& metrics) {
  std::vector<expose::DecisionCount> decisions;
  metrics.guard_decisions.ForEach(
      [&](const std::vector<std::string>& labels, const metrics::Counter& counter) {
        decisions.push_back({labels[0], labels[1], labels[2], labels[3], counter.Value()});
      });
  return decisions;
}

std::set<std::string> ImpliedOnes(const std::vector<expose::ApiFacts>& apis) {
  std::set<std::string> names;
  for (const expose::ApiFacts& api : apis) {
    if (api.implied) names.insert(api.name);
  }
  return names;
}

}  // namespace

expose::GuardFacts ReadGuard(const guard::Guard& guard, const std::vector<expose::ApiFacts>& apis,
                             const metrics::AgentMetrics& metrics, RunningTime now) {
  std::vector<expose::GuardedFacts> guarded;
  for (const expose::ApiFacts& api : apis) {
    if (api.guard.active()) guarded.push_back({api.name, api.guard});
  }
  if (guarded.empty()) return {};
  expose::GuardFacts facts =
      expose::MakeGuardFacts(std::move(guarded), guard.View(now.at), now.system_ahead, Decisions(metrics));
  const std::set<std::string> implied = ImpliedOnes(apis);
  std::erase_if(facts.apis, [&](const auto& api) { return !api.queue && implied.contains(api.api); });
  return facts;
}

BorrowedSeries::BorrowedSeries(metrics::Registry& registry, expose::GuardFacts* facts) : registry_(registry) {
  for (expose::GuardedFacts& api : facts->apis) {
    if (!api.queue || Take(api.api, expose::kSeriesOfQueue)) continue;
    registry.CountDropped(api.api, kQueueFamily);
    api.queue.reset();
  }
  std::erase_if(facts->accounts, [&](const guard::AccountView& account) {
    if (Take(account.api, expose::SeriesOf(account))) return false;
    registry.CountDropped(account.api, kKeyFamily);
    return true;
  });
}

BorrowedSeries::~BorrowedSeries() {
  for (const auto& [api, series] : taken_) registry_.shares().Return(api, series);
}

bool BorrowedSeries::Take(const std::string& api, size_t series) {
  if (!registry_.shares().Take(api, series)) return false;
  taken_.emplace_back(api, series);
  return true;
}

}  // namespace apiquota::app
