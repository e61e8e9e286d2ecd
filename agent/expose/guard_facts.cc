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
  }
  for (guard::CooldownView& cooldown : view->cooldowns) cooldown.until += ahead;
  MoveOn(ahead, &view->last);
  MoveOn(ahead, &view->last_held);
}

void Add(const guard::KeyView& view, QueueFacts* queue) {
  queue->depth += view.waiting;
  for (const guard::QueueView& each : view.queues) {
    if (each.oldest) queue->oldest = std::min(queue->oldest.value_or(*each.oldest), *each.oldest);
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

// One for what is under way, and at most one for each of the others: some share a series.
size_t SeriesOf(const guard::AccountView& account) {
  return 1 + account.view.cooldowns.size() + account.view.limits.size();
}

}  // namespace apiquota::expose
