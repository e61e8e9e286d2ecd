// What a limit shows of itself.
#include <algorithm>

#include "guard/limit.h"
#include "guard/limit_state.h"

namespace apiquota::guard {

double Limit::Reserved() const { return state_->outlays.reserved() < 1e-3 ? 0 : state_->outlays.reserved(); }
const std::string& Limit::quota() const { return state_->quota; }
const std::string& Limit::unit() const { return state_->unit; }
std::optional<double> Limit::limit() const { return state_->limit; }

std::optional<double> Limit::window_seconds() const {
  return state_->window ? std::optional(ToSeconds(*state_->window)) : std::nullopt;
}

std::optional<double> Limit::available(SystemTime now) const {
  State& state = *state_;
  state.Roll(now);
  std::optional<double> left = state.refills ? std::nullopt : state.LevelAt(now);
  if (const auto span = state.log_window(); span && state.log_holds()) {
    const double room = state.limit_left() - state.log.Total(*span, now);
    left = std::min(left.value_or(room), room);
  }
  return left;
}

bool Limit::idle(SystemTime now) const {
  State& state = *state_;
  state.Roll(now);
  if (state.outlays.in_flight() || state.declared) return false;
  if (const auto span = state.log_window(); span && state.log.Total(*span, now) > 0) return false;
  return !state.end || now >= *state.end;
}

}  // namespace apiquota::guard
