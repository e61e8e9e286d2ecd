#include "quota/fold.h"

#include <algorithm>

namespace apiquota::quota {

using provider::QuotaKind;

bool HasWindows(QuotaKind kind) { return kind != QuotaKind::kConcurrency && kind != QuotaKind::kBalance; }

bool OtherLimit(const Heard& heard, const Held& held) {
  const auto computed = [](const provider::Amounts& amounts) {
    return amounts.derived.Has(provider::SignalField::kLimit);
  };
  return heard.limit && held.limit && *heard.limit != *held.limit && !computed(heard) && !computed(held);
}

bool StandsAgainst(const Heard& heard, Micros expire_after, QuotaState* state) {
  constexpr int kContradictions = 3;
  if (!OtherLimit(heard, state->held) || !Holds(state->held, expire_after, heard.said.received_at))
    return false;
  ++state->conflicts;
  const bool stricter = provider::UsedRatio(state->held) > provider::UsedRatio(heard);
  return stricter && ++state->contradicted < kContradictions;
}

bool SaidInTurn(const Heard& heard, const QuotaState& state) {
  return OtherLimit(heard, state.held) &&
         std::ranges::find(state.limits_before, heard.limit) != state.limits_before.end();
}

void NoteLimit(const Heard& heard, QuotaState* state) {
  if (!OtherLimit(heard, state->held)) return;
  auto& limits = state->limits_before;
  if (std::ranges::find(limits, state->held.limit) != limits.end()) return;
  std::ranges::rotate(limits, limits.end() - 1);
  limits.front() = state->held.limit;
}

void FoldPeak(const Heard& heard, QuotaState* state) {
  if (!heard.SaysLevel()) return;
  provider::Amounts amounts = heard;
  if (!amounts.limit) amounts.limit = state->held.limit;
  FoldUse(amounts, &state->peaks);
}

double RefillPerSecond(const Held& held) {
  if (held.limit && held.window_seconds) return *held.limit / *held.window_seconds;
  if (!held.limit || !held.remaining || !held.reset_at || *held.reset_at <= held.level.received_at) return 0;
  return std::max(0.0, *held.limit - *held.remaining) / ToSeconds(*held.reset_at - held.level.received_at);
}

}  // namespace apiquota::quota
