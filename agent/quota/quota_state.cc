#include "quota/quota_state.h"

#include <algorithm>
#include <utility>

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using provider::SignalField;

bool HasWindows(QuotaKind kind) { return kind != QuotaKind::kConcurrency && kind != QuotaKind::kBalance; }

WindowSpan FixedSpan(const QuotaState& state) {
  const Held& held = state.held;
  WindowSpan span{WindowOver(held), state.shortest_cycle};
  if (held.window_seconds) span.length = SecondsToMicros(*held.window_seconds);
  return span;
}

// The bucket's pace of coming back: limit per window, else what its reset implies.
double RefillPerSecond(const Held& held) {
  if (held.limit && held.window_seconds) return *held.limit / *held.window_seconds;
  if (!held.limit || !held.remaining || !held.reset_at || *held.reset_at <= held.level_at) return 0;
  return std::max(0.0, *held.limit - *held.remaining) / ToSeconds(*held.reset_at - held.level_at);
}

// Derived values follow the fields they were computed from.
void Recompute(Held* held) {
  if (!held->limit) return;
  if (held->remaining && (!held->used || (held->derived & Bit(SignalField::kUsed)) != 0)) {
    held->used = *held->limit - *held->remaining;
    held->derived |= Bit(SignalField::kUsed);
  } else if (held->used && (!held->remaining || (held->derived & Bit(SignalField::kRemaining)) != 0)) {
    held->remaining = *held->limit - *held->used;
    held->derived |= Bit(SignalField::kRemaining);
  }
}

bool SaysLevel(const Heard& heard) { return heard.remaining || heard.used; }

void FoldPeak(const Heard& heard, QuotaState* state) {
  if (!SaysLevel(heard)) return;
  FoldUse(heard.limit ? heard.limit : state->held.limit, heard.remaining, heard.used, &state->peaks);
}

void LearnCycle(const Heard& heard, QuotaState* state) {
  const Held& held = state->held;
  if (!held.end || !heard.end || held.end->absolute != heard.end->absolute) return;
  const Micros gap = heard.end->at - held.end->at;
  if (gap <= kSkew) return;
  state->shortest_cycle = std::min(state->shortest_cycle.value_or(gap), gap);
}

void BeginFixed(const Heard& heard, QuotaState* state) {
  Replace(heard, &state->held);
  Recompute(&state->held);
  OpenWindow(FixedSpan(*state), &state->peaks);
  FoldPeak(heard, state);
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

// What the newest level adds to the consumption of a quota without fixed windows.
void FoldNewestLevel(const Heard& heard, bool limit_changed, QuotaState* state) {
  const Held& held = state->held;
  const auto level = LevelOf(heard.remaining, heard.used);
  if (!level || state->kind == QuotaKind::kConcurrency) return;
  Consumption& consumption = state->consumption;
  if (limit_changed) consumption.last.reset();
  // Nothing of a sliding window outlives its length.
  const bool slid_by = state->kind == QuotaKind::kSliding && held.window_seconds && held.limit &&
                       consumption.last &&
                       heard.said.received_at - consumption.last_at >= SecondsToMicros(*held.window_seconds);
  if (slid_by && !level->of_used && !consumption.of_used) consumption.last = *held.limit;
  const double refill = state->kind == QuotaKind::kBucket ? RefillPerSecond(held) : 0;
  FoldNext(*level, heard.said.received_at, held.limit, refill, &consumption);
}

void FoldNewest(const Heard& heard, Micros expire_after, QuotaState* state) {
  Held& held = state->held;
  if (!Newer(heard.said, held.said)) {
    if (SaysLevel(heard) && !held.remaining && !held.used) TakeLevel(heard, &held);
    Heard facts = heard;  // a reset belongs to its own level
    facts.reset_at.reset();
    MergeFacts(facts, false, &held);
    return Recompute(&held);
  }
  const std::optional<double> limit_before = held.limit;
  if (heard.said.received_at >= HoldsUntil(held, expire_after)) {
    Replace(heard, &held);
  } else {
    MergeFacts(heard, true, &held);
    TakeLevel(heard, &held);
  }
  Recompute(&held);
  FoldNewestLevel(heard, limit_before && held.limit && *limit_before != *held.limit, state);
  if (!HasWindows(state->kind) || !SaysLevel(heard)) return;
  if (!state->peaks.open) {
    WindowSpan span;
    if (held.window_seconds) {
      span.length = SecondsToMicros(*held.window_seconds);
      span.closes_at = heard.said.received_at + *span.length;
    }
    OpenWindow(span, &state->peaks);
  }
  FoldPeak(heard, state);
}

// The first reading, or the first after our clock was set back: nothing before it can be compared.
void Begin(const Heard& heard, Micros expire_after, QuotaState* state) {
  state->seen = true;
  state->peaks.open = false;
  state->pace = {};
  state->consumption.last.reset();
  if (const auto level = LevelOf(heard.remaining, heard.used)) StartOver(*level, &state->consumption);
  if (state->kind == QuotaKind::kFixed) return BeginFixed(heard, state);
  state->held = {};
  state->held.since = heard.said.received_at;
  state->held.level_at = heard.said.received_at;
  FoldNewest(heard, expire_after, state);
}

std::vector<SignalField> FieldList(FieldSet fields) {
  std::vector<SignalField> list;
  for (unsigned i = 0; i <= static_cast<unsigned>(SignalField::kBody); ++i) {
    if ((fields & (1u << i)) != 0) list.push_back(static_cast<SignalField>(i));
  }
  return list;
}

}  // namespace

FoldResult Fold(const provider::Reading& reading, const Said& said, Micros expire_after, SystemTime now,
                QuotaState* state) {
  Advance(now, state);
  const Heard heard = Hear(reading, said, state->seen ? state->held.limit : std::nullopt);
  const bool clock_set_back = now + kClockStep < state->latest_now;
  const double consumed_before = state->consumption.total;
  const Said said_before = state->held.said;
  if (!state->seen || clock_set_back) {
    Begin(heard, expire_after, state);
    state->latest_now = now;
  } else if (state->kind == QuotaKind::kFixed) {
    FoldFixed(heard, expire_after, state);
  } else {
    FoldNewest(heard, expire_after, state);
  }
  state->latest_now = std::max(state->latest_now, now);
  if (state->held.said != said_before || state->consumption.total != consumed_before) {
    NotePace(heard.said.received_at, state->consumption.total, PaceSpan(state->held.window_seconds),
             &state->pace);
  }
  Advance(now, state);

  FoldResult result;
  result.implausible_reset = heard.implausible_reset;
  const std::optional<double>& limit = state->held.limit;
  if (limit && state->last_limit && *limit != *state->last_limit) {
    result.limit_before = state->last_limit;
    ++state->limit_changes;
  }
  if (limit) state->last_limit = limit;
  return result;
}

void Advance(SystemTime now, QuotaState* state) { CloseIfOver(now, &state->peaks); }

void Resume(Held held, Micros expire_after, SystemTime now, QuotaState* state) {
  state->seen = true;
  state->held = std::move(held);
  state->held.said.order.reset();
  state->last_limit = state->held.limit;
  state->latest_now = now;
  const auto level = LevelOf(state->held.remaining, state->held.used);
  if (level) StartOver(*level, &state->consumption);
  if (state->kind != QuotaKind::kFixed || !Holds(state->held, expire_after, now)) return;
  OpenWindow(FixedSpan(*state), &state->peaks);
  FoldUse(state->held.limit, state->held.remaining, state->held.used, &state->peaks);
}

QuotaView View(const QuotaState& state, Micros expire_after, SystemTime now) {
  const Held& held = state.held;
  QuotaView view;
  view.kind = state.kind;
  view.valid = Holds(held, expire_after, now);
  view.limit = held.limit;
  view.limit_assumed = !view.valid && held.limit.has_value();
  view.window_seconds = held.window_seconds;
  view.policy = held.policy;
  view.observed_at = held.said.received_at;
  if (view.valid) {
    view.remaining = held.remaining;
    view.used = held.used;
    view.used_ratio = UsedRatio(held.limit, held.remaining, held.used);
    view.reset_at = held.reset_at;
    const auto rate = ConsumptionRate(state.pace, now, PaceSpan(held.window_seconds));
    if (rate && held.remaining) {
      view.exhaustion_at =
          Exhaustion({state.kind, *held.remaining, held.reset_at, RefillPerSecond(held), *rate}, now);
    }
  }
  const FieldSet ended = Bit(SignalField::kRemaining) | Bit(SignalField::kUsed) | Bit(SignalField::kReset);
  view.derived = FieldList(view.valid ? held.derived : held.derived & ~ended);
  view.consumed_total = state.consumption.total;
  view.windows_exhausted_total = state.peaks.windows_exhausted;
  view.limit_changes_total = state.limit_changes;
  std::optional<Micros> length = state.shortest_cycle;
  if (held.window_seconds) length = SecondsToMicros(*held.window_seconds);
  const bool short_window = HasWindows(state.kind) && length && *length < kShortWindow;
  if (short_window || state.peaks.histogram != PeakHistogram{}) view.window_peaks = state.peaks.histogram;
  return view;
}

}  // namespace apiquota::quota
