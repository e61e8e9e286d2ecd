#include "proxy/caches.h"

#include <utility>

namespace apiquota::proxy {

// What goes is destroyed once the lock is not held any more.
void Caches::Configure(const std::vector<CachedApi>& apis) {
  std::map<std::string, Entry, std::less<>> entries;
  const std::lock_guard lock(mutex_);
  for (const CachedApi& api : apis) {
    const auto known = entries_.find(api.api);
    Entry& entry = entries[api.api];
    entry.origin = api.origin;
    if (known != entries_.end() && known->second.origin == api.origin) {
      entry.store = known->second.store;
      entry.store->answers->Configure(api.options);
    } else {
      entry.store = std::make_shared<AnswerStore>(api.options, *this);
    }
  }
  entries_.swap(entries);
}

std::shared_ptr<AnswerStore> Caches::For(std::string_view api) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(api);
  return found != entries_.end() ? found->second.store : nullptr;
}

void Caches::SetHomes(std::vector<CacheHome*> homes) {
  const std::lock_guard lock(homes_mutex_);
  homes_ = std::move(homes);
}

// Where nobody is left to lead, nobody is left to follow, either: the loops go all at once.
void Caches::Wake(cache::Follower follower, cache::Outcome outcome) {
  {
    const std::lock_guard lock(homes_mutex_);
    if (follower.home < homes_.size()) return homes_[follower.home]->Take(follower, std::move(outcome));
  }
  if (outcome.lead) outcome.lead.Scatter(SystemTime());
}

std::map<std::string, cache::CacheView> Caches::View() const {
  std::map<std::string, cache::CacheView> views;
  const std::lock_guard lock(mutex_);
  for (const auto& [api, entry] : entries_) {
    cache::CacheView& view = views.emplace(api, entry.store->answers->View()).first->second;
    view.orphans = entry.store->orphans.load(std::memory_order_relaxed);
    view.orphans_given_up = entry.store->orphans_given_up.load(std::memory_order_relaxed);
  }
  return views;
}

}  // namespace apiquota::proxy
