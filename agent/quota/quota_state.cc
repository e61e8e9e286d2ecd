#include "quota/quota_state.h"

#include <algorithm>
#include <utility>

#include "quota/fold.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using provider::SignalField;

// Whether a reading taken after our clock was set back can be judged by what is held: it is older by the
// upstream's own account, or both name the end of their fixed window in the upstream's time.
bool Comparable(const Heard& heard, const QuotaState& state) {
  if (!Newer(heard.said, state.held.said)) return true;
  return state.kind == QuotaKind::kFixed && heard.end && state.held.end && heard.end->absolute &&
         state.held.end->absolute;
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

// What is held, or the full bucket that it has become.
Held HeldNow(const QuotaState& state, Micros expire_after, SystemTime now) {
  Held held = state.held;
  if (state.kind != QuotaKind::kBucket || !FullAgain(held, expire_after, now)) return held;
  held.level_at = *held.reset_at;
  held.remaining = held.limit;
  held.used = 0;
  held.derived |= Bit(SignalField::kRemaining) | Bit(SignalField::kUsed);
  held.reset_at.reset();
  return held;
}

}  // namespace

FoldResult Fold(const provider::Reading& reading, const Said& said, Micros expire_after, SystemTime now,
                QuotaState* state) {
  Advance(now, state);
  const Said sane = Sane(said);
  const Micros offset = Offset(sane, now, &state->clock);
  const Heard heard = Hear(reading, sane, offset, state->seen ? state->held.limit : std::nullopt);
  const bool clock_set_back = state->seen && now + kClockStep < state->latest_now;
  if (clock_set_back) state->pace = {};
  const double consumed_before = state->consumption.total;
  const Said said_before = state->held.said;
  if (!state->seen || (clock_set_back && !Comparable(heard, *state))) {
    Begin(heard, expire_after, state);
  } else if (state->kind == QuotaKind::kFixed) {
    FoldFixed(heard, expire_after, state);
  } else {
    FoldNewest(heard, expire_after, state);
  }
  if (!clock_set_back || state->held.said == heard.said) state->latest_now = now;
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
  const Held held = HeldNow(state, expire_after, now);
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
  if (HasPeaks(state)) view.window_peaks = state.peaks.histogram;
  return view;
}

bool HasPeaks(const QuotaState& state) {
  std::optional<Micros> length = state.shortest_cycle;
  if (state.held.window_seconds) length = SecondsToMicros(*state.held.window_seconds);
  const bool short_window = HasWindows(state.kind) && length && *length < kShortWindow;
  return short_window || state.peaks.histogram != PeakHistogram{};
}

}  // namespace apiquota::quota
