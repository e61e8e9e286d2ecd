// What of a key's guard survives a restart.
#include <algorithm>

#include "guard/key_guard.h"
#include "guard/key_guard_state.h"

namespace apiquota::guard {

SavedKey KeyGuard::Save(SystemTime now) const {
  SavedKey saved;
  for (const Place& place : state_->places) {
    for (const Limit& limit : place.limits) {
      auto kept = limit.Save(now);
      if (!kept) continue;
      kept->resource = place.resource;
      saved.limits.push_back(std::move(*kept));
    }
    if (auto kept = place.cooldown.Save(now)) {
      kept->resource = place.resource;
      saved.cooldowns.push_back(std::move(*kept));
    }
  }
  return saved;
}

void KeyGuard::Restore(const SavedKey& saved) {
  for (const SavedLimit& limit : saved.limits) {
    std::list<Limit>& limits = state_->PlaceFor(limit.resource, {}).limits;
    const auto same =
        std::ranges::find_if(limits, [&](const Limit& each) { return each.quota() == limit.quota; });
    if (same != limits.end()) {
      same->TakeUp(limit);
    } else if (!limit.declared && limits.size() < kLimitsPerResourceMax) {
      limits.push_back(Limit::Restored(state_->options.pace, limit));
    }
  }
  for (const SavedCooldown& cooldown : saved.cooldowns)
    state_->PlaceFor(cooldown.resource, {}).cooldown.TakeUp(cooldown);
}

}  // namespace apiquota::guard
