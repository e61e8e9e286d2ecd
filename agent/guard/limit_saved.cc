// What of a limit survives a restart.
#include <utility>

#include "guard/limit.h"
#include "guard/limit_state.h"

namespace apiquota::guard {

std::optional<SavedLimit> Limit::Save(SystemTime now) const {
  State& state = *state_;
  const auto span = state.log_window();
  if (!state.log_holds() || !span) return std::nullopt;
  SavedLimit saved{.resource = {},
                   .quota = state.quota,
                   .unit = state.unit,
                   .kind = state.kind,
                   .kind_assumed = state.kind_assumed,
                   .declared = state.declared,
                   .limit = *state.limit,
                   .window = *state.window,
                   .sends = state.log.Parts(*span, now)};
  if (saved.sends.empty()) return std::nullopt;
  return saved;
}

Limit Limit::Restored(const PaceOptions& pace, const SavedLimit& saved) {
  auto state = std::make_unique<State>(pace, saved.quota, saved.unit, saved.kind, saved.kind_assumed);
  state->limit = saved.limit;
  state->window = saved.window;
  Limit limit(std::move(state));
  limit.TakeUp(saved);
  return limit;
}

void Limit::TakeUp(const SavedLimit& saved) { state_->log.TakeUp(saved.sends); }

}  // namespace apiquota::guard
