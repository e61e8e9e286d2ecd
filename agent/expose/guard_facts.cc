#include "expose/guard_facts.h"

#include <algorithm>
#include <utility>

namespace apiquota::expose {
namespace {

void MoveOn(Micros ahead, std::optional<guard::Decision>* decision) {
  if (!*decision) return;
  (*decision)->at += ahead;
  (*decision)->deadline += ahead;
  if ((*decision)->could_go) *(*decision)->could_go += ahead;
}

void MoveOn(Micros ahead, guard::KeyView* view) {
  for (guard::QueueView& queue : view->queues) {
    if (queue.oldest) *queue.oldest += ahead;
    if (queue.deadline) *queue.deadline += ahead;
  }
  for (guard::CooldownView& cooldown : view->cooldowns) cooldown.until += ahead;
  MoveOn(ahead, &view->last);
  MoveOn(ahead, &view->last_held);
}

void MoveOn(Micros ahead, std::optional<guard::ApiRefusal>* refused) {
  if (!*refused) return;
  (*refused)->at += ahead;
  (*refused)->refusal.until += ahead;
}

void MoveOn(Micros ahead, guard::ApiView* view) {
  if (view->breaker) {
    view->breaker->until += ahead;
    if (auto& opened_at = view->breaker->opened_at) *opened_at += ahead;
  }
  for (guard::LimitRuleView& limit : view->limits) {
    for (guard::LimitUse& use : limit.uses) use.reset += ahead;
  }
  MoveOn(ahead, &view->last_refused);
  MoveOn(ahead, &view->last_judged);
}

void Add(const guard::KeyView& view, QueueFacts* queue) {
  queue->depth += view.waiting;
  for (const guard::QueueView& each : view.queues) {
    if (each.oldest) queue->oldest = std::min(queue->oldest.value_or(*each.oldest), *each.oldest);
    if (each.deadline) queue->deadline = std::min(queue->deadline.value_or(*each.deadline), *each.deadline);
  }
}

}  // namespace

GuardFacts MakeGuardFacts(std::vector<GuardedFacts> apis, std::vector<guard::AccountView> accounts,
                          Micros ahead, std::vector<DecisionCount> decisions) {
  GuardFacts facts{std::move(apis), {}, std::move(decisions)};
  std::ranges::sort(facts.apis, {}, &GuardedFacts::api);
  for (guard::AccountView& account : accounts) {
    const auto api = std::ranges::lower_bound(facts.apis, account.api, {}, &GuardedFacts::api);
    if (api == facts.apis.end() || api->api != account.api) continue;
    MoveOn(ahead, &account.view);
    if (account.shadow) MoveOn(ahead, &*account.shadow);
    if (!api->queue) api->queue.emplace();
    Add(account.view, &*api->queue);
    facts.accounts.push_back(std::move(account));
  }
  return facts;
}

double OverdueSeconds(const QueueFacts& queue, SystemTime now) {
  return queue.deadline ? std::max(0.0, ToSeconds(now - *queue.deadline)) : 0;
}

void AddApiViews(std::vector<guard::ApiView> views, Micros ahead, GuardFacts* facts) {
  for (guard::ApiView& view : views) {
    const auto api = std::ranges::lower_bound(facts->apis, view.api, {}, &GuardedFacts::api);
    if (api == facts->apis.end() || api->api != view.api) continue;
    MoveOn(ahead, &view);
    api->whole = std::move(view);
  }
}

void AddCaches(std::map<std::string, CacheFacts> caches, Micros ahead, GuardFacts* facts) {
  for (GuardedFacts& api : facts->apis) {
    const auto found = caches.find(api.api);
    if (found == caches.end()) continue;
    api.cache = std::move(found->second);
    if (auto& stale = api.cache->view.served_stale_at) *stale += ahead;
  }
}

std::vector<LimitSeries> LimitSeriesOf(const GuardedFacts& api) {
  using Kind = guard::LimitSubject::Kind;
  const auto unbounded = [](const guard::LimitSubject& subject) {
    return subject.kind == Kind::kAddress || subject.kind == Kind::kHeader;
  };
  std::vector<LimitSeries> series;
  for (const guard::LimitRuleView& limit : api.whole.limits) {
    if (limit.judged || std::ranges::any_of(limit.rule.by, unbounded)) continue;
    for (const guard::LimitUse& use : limit.uses) {
      if (use.digest.empty()) series.push_back({limit.rule.name, use});
    }
  }
  return series;
}

// One for what is under way, one for its slots, and at most one for each of the others: some share a series.
size_t SeriesOf(const guard::AccountView& account) {
  return 1 + (account.view.slots ? 1 : 0) + account.view.cooldowns.size() + account.view.limits.size();
}

// A use and its reset; of each limit in force whose use was forgotten.
size_t SeriesOfLimits(const GuardedFacts& api) {
  const auto in_force = std::ranges::count(api.whole.limits, false, &guard::LimitRuleView::judged);
  return 2 * LimitSeriesOf(api).size() + static_cast<size_t>(in_force);
}

}  // namespace apiquota::expose
