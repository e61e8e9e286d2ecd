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

// A window followed one that is over.
void FoldNextFixed(const Heard& heard, QuotaState* state) {
  const Held& held = state->held;
  NoteLimit(heard, state);
  LearnCycle(heard, state);
  if (const auto level = LevelOf(heard.remaining, heard.used)) {
    if (OtherLimit(heard, held)) {
      StartOver(*level, &state->consumption);
    } else {
      FoldNextWindow(*level, heard.limit, held.end, &state->consumption);
    }
  }
  if (!state->peaks.length) state->peaks.length = state->shortest_cycle;
  CloseWindow(&state->peaks);
  BeginFixed(heard, state);
}

// Another reading takes the held one's place while its window runs: only a fall is consumption, and none
// between two limits.
void FoldMovedFixed(const Heard& heard, QuotaState* state) {
  if (const auto level = LevelOf(heard.remaining, heard.used)) {
    const std::optional<double> lowest = state->consumption.current.lowest;
    const bool fell = lowest && level->of_used == state->consumption.of_used && level->value < *lowest &&
                      !OtherLimit(heard, state->held);
    if (fell) FoldSameWindow(*level, false, &state->consumption);
    StartOver(*level, &state->consumption);
    if (fell) state->consumption.current.highest = lowest;  // down from there is counted
  }
  NoteLimit(heard, state);
  Replace(heard, &state->held);
  provider::Recompute(state->kind, &state->held);
  if (!state->peaks.open) OpenWindow(FixedSpan(*state), &state->peaks);
  state->peaks.closes_at = FixedSpan(*state).closes_at;
  FoldPeak(heard, state);
}

// An end without a level, while another one's holds.
void FoldMovedEnd(const Heard& heard, QuotaState* state) {
  MergeNewer(heard, &state->held);
  provider::Recompute(state->kind, &state->held);
  if (state->peaks.open) state->peaks.closes_at = FixedSpan(*state).closes_at;
}

void FoldMoved(const Heard& heard, Micros expire_after, QuotaState* state) {
  if (StandsAgainst(heard, expire_after, state)) return;
  if (!heard.SaysLevel() && state->held.SaysLevel() &&
      Holds(state->held, expire_after, heard.said.received_at)) {
    if (!OtherLimit(heard, state->held)) FoldMovedEnd(heard, state);
    return;
  }
  state->contradicted = 0;
  FoldMovedFixed(heard, state);
}

void FoldSameFixed(const Heard& heard, QuotaState* state) {
  const bool newer = Newer(heard.said, state->held.said);
  if (heard.SaysLevel()) {
    const bool overtaken = heard.said.sent_at <= state->held.level.received_at;
    FoldSameWindow(*LevelOf(heard.remaining, heard.used), overtaken, &state->consumption);
    const std::partial_ordering use = CompareUse(heard, state->held);
    if (use > 0) TakeLevel(heard, &state->held);
    if (use == 0 && state->held.level.received_at < heard.said.received_at) state->held.level = heard.said;
  }
  MergeFacts(heard, newer, &state->held);
  provider::Recompute(state->kind, &state->held);
  state->held.since = std::min(state->held.since, heard.said.received_at);
  if (state->peaks.open) state->peaks.closes_at = FixedSpan(*state).closes_at;
  FoldPeak(heard, state);
}

// Within one window another limit means another plan, whose levels don't compare with those before; unless
// the two take turns.
void FoldOtherLimit(const Heard& heard, Micros expire_after, QuotaState* state) {
  if (!Newer(heard.said, state->held.said)) return;
  if (SaidInTurn(heard, *state) && StandsAgainst(heard, expire_after, state)) return;
  state->contradicted = 0;
  NoteLimit(heard, state);
  MergeFacts(heard, true, &state->held);
  TakeLevel(heard, &state->held);
  provider::Recompute(state->kind, &state->held);
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
  provider::Recompute(state->kind, &state->held);
  OpenWindow(FixedSpan(*state), &state->peaks);
  FoldPeak(heard, state);
}

void FoldFixed(const Heard& heard, Micros expire_after, QuotaState* state) {
  switch (Relate(state->held, heard, expire_after)) {
    case Relation::kOlder: {
      const auto& previous = state->consumption.previous_end;
      const bool late = previous && heard.end && SameEnd(*previous, *heard.end, Tolerance(state->held));
      if (late && heard.SaysLevel()) {
        FoldPreviousWindow(*LevelOf(heard.remaining, heard.used), &state->consumption);
      }
      return;
    }
    case Relation::kSame:
      if (OtherLimit(heard, state->held)) return FoldOtherLimit(heard, expire_after, state);
      if (heard.limit) state->contradicted = 0;
      return FoldSameFixed(heard, state);
    case Relation::kNext:
      state->contradicted = 0;
      return FoldNextFixed(heard, state);
    case Relation::kMoved:
      return FoldMoved(heard, expire_after, state);
    case Relation::kRose:
      state->contradicted = 0;
      return FoldMovedFixed(heard, state);
  }
}

}  // namespace apiquota::quota
