#include "quota/quota_state.h"

#include <algorithm>
#include <utility>

#include "quota/fold.h"
#include "quota/relation.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using provider::SignalField;

void Begin(const Heard& heard, Micros expire_after, QuotaState* state) {
  state->seen = true;
  if (const auto level = LevelOf(heard.remaining, heard.used)) StartOver(*level, &state->consumption);
  if (state->kind == QuotaKind::kFixed) return BeginFixed(heard, state);
  state->held.since = heard.said.received_at;
  state->held.level.received_at = heard.said.received_at;
  FoldNewest(heard, expire_after, state);
}

// Each kind counts on from the held level in its own way.
void Become(QuotaKind kind, QuotaState* state) {
  if (state->kind == kind) return;
  state->kind = kind;
  const auto level = LevelOf(state->held.remaining, state->held.used);
  if (!level) return;
  StartOver(*level, &state->consumption);
  if (kind == QuotaKind::kFixed) return;
  state->consumption.last = level->value;
  const Said& said = state->held.level;
  state->consumption.last_at = said.order ? said.sent_at : said.received_at;
}

// A quota whose end moves on with its answers, again and again while its window runs, is no fixed window,
// whatever its exporter assumed; one whose level falls while its end stays is none that slides. An end that
// stays while nothing is taken tells nothing: the newest call was the same one.
void LearnKind(const Heard& heard, QuotaState* state) {
  constexpr int kMoves = 2;
  SeenKind& seen = state->seen_kind;
  if (!heard.end || !Newer(heard.said, state->held.said)) return;
  // As far as clocks and whole seconds tell: the next window's end is no move.
  const bool over = !state->held.reset_at || heard.said.received_at >= *state->held.reset_at - kSkew;
  if (!seen.end || over || seen.end->absolute != heard.end->absolute) {
    seen.end = heard.end;
    seen.at = heard.said.received_at;
    return;
  }
  const Micros moved = heard.end->at - Doubt(heard) - seen.end->at;
  const bool long_enough = heard.said.received_at - seen.at > 2 * kSkew;
  if (moved <= kSkew && !long_enough) return;
  const bool learned = state->kind != state->described;
  const bool fell = CompareUse(heard, state->held) > 0;
  seen.end = heard.end;
  seen.at = heard.said.received_at;
  if (moved > kSkew) {
    if (++seen.moves >= kMoves) Become(QuotaKind::kSliding, state);
  } else if (!learned || fell) {
    seen.moves = 0;
    Become(state->described, state);
  }
}

// How far the upstream's clock was off, as it was known before a restart: until answers agree on it again.
std::optional<Micros> KeptCorrection(const Held& held) {
  if (!held.end || !held.end->absolute || !held.reset_at) return std::nullopt;
  const Micros correction = held.end->at - *held.reset_at;
  return std::chrono::abs(correction) > kSkew ? std::optional(correction) : std::nullopt;
}

// What is held, or the full bucket that it has become.
Held HeldNow(const QuotaState& state, Micros expire_after, SystemTime now) {
  Held held = state.held;
  if (state.kind != QuotaKind::kBucket || !FullAgain(held, expire_after, now)) return held;
  held.level.received_at = *held.reset_at;
  held.remaining = held.limit;
  held.used = 0;
  held.derived.Add(SignalField::kRemaining);
  held.derived.Add(SignalField::kUsed);
  held.reset_at.reset();
  return held;
}

}  // namespace

FoldResult Fold(const provider::Reading& reading, const Moment& moment, Micros expire_after, SystemTime now,
                QuotaState* state) {
  Advance(now, state);
  Heard heard = Hear(reading, moment, state->seen ? state->held.limit : std::nullopt);
  if (!heard.offset && heard.end && heard.end->absolute && state->kept_correction)
    heard.reset_at = heard.end->at - *state->kept_correction;
  // What a cache kept since before the newest reading tells nothing.
  if (moment.age > Micros(0) && state->seen && !Newer(heard.said, state->held.said)) return {};
  const double consumed_before = state->consumption.total;
  const Said said_before = state->held.said;
  const uint64_t conflicts_before = state->conflicts;
  if (!reading.kind_assumed) {
    Become(state->described, state);  // somebody says it now
  } else if (state->seen && state->described == QuotaKind::kFixed) {
    LearnKind(heard, state);
  }
  if (!state->seen) {
    Begin(heard, expire_after, state);
  } else if (state->kind == QuotaKind::kFixed) {
    FoldFixed(heard, expire_after, state);
  } else {
    FoldNewest(heard, expire_after, state);
  }
  if (state->held.said != said_before || state->consumption.total != consumed_before) {
    NotePace(heard.said.received_at, state->consumption.total, PaceSpan(state->held.window_seconds),
             &state->pace);
  }
  Advance(now, state);

  FoldResult result{.implausible_reset = heard.implausible_reset,
                    .conflict = state->conflicts != conflicts_before};
  const std::optional<double>& limit = state->held.limit;
  if (!limit || state->held.derived.Has(SignalField::kLimit)) return result;
  if (state->last_limit && *limit != *state->last_limit) {
    result.limit_before = state->last_limit;
    ++state->limit_changes;
  }
  state->last_limit = limit;
  return result;
}

void Advance(SystemTime now, QuotaState* state) { CloseIfOver(now, &state->peaks); }

void Resume(Held held, Micros expire_after, SystemTime now, QuotaState* state) {
  state->seen = true;
  // Our clock may have been set back meanwhile: nothing was said in the future.
  for (SystemTime* at : {&held.said.received_at, &held.level.received_at, &held.since})
    *at = std::min(*at, now);
  state->held = std::move(held);
  state->kept_correction = KeptCorrection(state->held);
  state->last_limit = state->held.limit;
  const auto level = LevelOf(state->held.remaining, state->held.used);
  if (level) StartOver(*level, &state->consumption);
  if (state->kind != QuotaKind::kFixed || !Holds(state->held, expire_after, now)) return;
  OpenWindow(FixedSpan(*state), &state->peaks);
  FoldUse(state->held, &state->peaks);
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
    view.used_ratio = provider::UsedRatio(held);
    if (held.reset_at > now) view.reset_at = held.reset_at;
    const auto rate = ConsumptionRate(state.pace, now, PaceSpan(held.window_seconds));
    if (rate && held.remaining) {
      view.exhaustion_at =
          Exhaustion({state.kind, *held.remaining, held.reset_at, RefillPerSecond(held), *rate}, now);
    }
  }
  view.derived = held.derived;
  if (!view.valid) {
    for (const SignalField ended : {SignalField::kRemaining, SignalField::kUsed, SignalField::kReset})
      view.derived.Remove(ended);
  }
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
