#include <algorithm>

#include "quota/fold.h"
#include "quota/relation.h"

namespace apiquota::quota {
namespace {

void LearnCycle(const Heard& heard, QuotaState* state) {
  const Held& held = state->held;
  if (!held.end || !heard.end || held.end->absolute != heard.end->absolute) return;
  const Micros gap = heard.end->at - held.end->at;
  if (gap <= kSkew) return;
  state->shortest_cycle = std::min(state->shortest_cycle.value_or(gap), gap);
}

void FoldNewerFixed(const Heard& heard, QuotaState* state) {
  const Held& held = state->held;
  const std::optional<SystemTime> over = WindowOver(held);
  // Without ends to compare it was a lasting rise; only the upstream's own clock makes that sure.
  const bool surely_rose = !(held.end && heard.end) && held.said.date && heard.said.date;
  const bool rolled = surely_rose || (over && heard.said.received_at >= *over - Tolerance(held));
  const std::optional<Level> level = LevelOf(heard.remaining, heard.used);
  if (rolled) {
    LearnCycle(heard, state);
    if (level) FoldNextWindow(*level, heard.limit, held.end, &state->consumption);
    if (!state->peaks.length) state->peaks.length = state->shortest_cycle;
    CloseWindow(&state->peaks);
    return BeginFixed(heard, state);
  }
  // The reset moved while the window ran: only a fall is consumption.
  if (level) {
    FoldSameWindow(*level, &state->consumption);
    StartOver(*level, &state->consumption);
  }
  Replace(heard, &state->held);
  Recompute(&state->held);
  if (!state->peaks.open) OpenWindow(FixedSpan(*state), &state->peaks);
  state->peaks.closes_at = FixedSpan(*state).closes_at;
  FoldPeak(heard, state);
}

void FoldSameFixed(const Heard& heard, QuotaState* state) {
  const bool newer = Newer(heard.said, state->held.said);
  if (SaysLevel(heard)) {
    FoldSameWindow(*LevelOf(heard.remaining, heard.used), &state->consumption);
    const std::partial_ordering use = CompareUse(heard, state->held);
    if (use > 0) TakeLevel(heard, &state->held);
    if (use == 0) state->held.level_at = std::max(state->held.level_at, heard.said.received_at);
  }
  MergeFacts(heard, newer, &state->held);
  Recompute(&state->held);
  state->held.since = std::min(state->held.since, heard.said.received_at);
  if (state->peaks.open) state->peaks.closes_at = FixedSpan(*state).closes_at;
  FoldPeak(heard, state);
}

// Within one window another limit means another plan: its levels don't compare with those before.
void FoldChangedPlan(const Heard& heard, QuotaState* state) {
  if (!Newer(heard.said, state->held.said)) return;
  MergeFacts(heard, true, &state->held);
  TakeLevel(heard, &state->held);
  Recompute(&state->held);
  if (const auto level = LevelOf(heard.remaining, heard.used)) StartOver(*level, &state->consumption);
  FoldPeak(heard, state);
}

}  // namespace

WindowSpan FixedSpan(const QuotaState& state) {
  const Held& held = state.held;
  WindowSpan span{WindowOver(held), state.shortest_cycle};
  if (held.window_seconds) span.length = SecondsToMicros(*held.window_seconds);
  return span;
}

void BeginFixed(const Heard& heard, QuotaState* state) {
  Replace(heard, &state->held);
  Recompute(&state->held);
  OpenWindow(FixedSpan(*state), &state->peaks);
  FoldPeak(heard, state);
}

void FoldFixed(const Heard& heard, Micros expire_after, QuotaState* state) {
  switch (Relate(state->held, heard, expire_after)) {
    case Relation::kOlder: {
      const auto& previous = state->consumption.previous_end;
      const bool late = previous && heard.end && SameEnd(*previous, *heard.end, Tolerance(state->held));
      if (late && SaysLevel(heard)) {
        FoldPreviousWindow(*LevelOf(heard.remaining, heard.used), &state->consumption);
      }
      return;
    }
    case Relation::kSame:
      if (heard.limit && state->held.limit && *heard.limit != *state->held.limit) {
        return FoldChangedPlan(heard, state);
      }
      return FoldSameFixed(heard, state);
    case Relation::kNewer:
      return FoldNewerFixed(heard, state);
  }
}

}  // namespace apiquota::quota
