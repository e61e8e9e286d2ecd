#include "quota/fold.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

// What the newest level adds to the consumption of a quota without fixed windows. An API counts a request
// when it comes, however long the answer takes: what came back meanwhile is by the times of sending.
void FoldNewestLevel(const Heard& heard, bool limit_changed, QuotaState* state) {
  const Held& held = state->held;
  const auto level = LevelOf(heard.remaining, heard.used);
  if (!level || state->kind == QuotaKind::kConcurrency) return;
  Consumption& consumption = state->consumption;
  if (limit_changed) consumption.last.reset();
  const SystemTime at = heard.said.sent_at;
  // Nothing of a sliding window outlives its length.
  const bool slid_by = state->kind == QuotaKind::kSliding && held.window_seconds && held.limit &&
                       consumption.last && at - consumption.last_at >= SecondsToMicros(*held.window_seconds);
  if (slid_by && !level->of_used && !consumption.of_used) consumption.last = held.limit;
  const double refill = state->kind == QuotaKind::kBucket ? RefillPerSecond(held) : 0;
  FoldNext(*level, at, held.limit, refill, &consumption);
}

}  // namespace

void FoldNewest(const Heard& heard, Micros expire_after, QuotaState* state) {
  Held& held = state->held;
  const bool expired = heard.said.received_at >= HoldsUntil(held, expire_after);
  const std::optional<double> limit_before = held.limit;
  if (!expired && !Newer(heard.said, held.said)) {
    Heard facts = heard;  // a reset belongs to its own level
    facts.reset_at.reset();
    MergeFacts(facts, false, &held);
    // What is newer may have said no level.
    const bool newest_level = !held.SaysLevel() || Newer(heard.said, held.level);
    if (!heard.SaysLevel() || !newest_level) return provider::Recompute(state->kind, &held);
    TakeLevel(heard, &held);
  } else {
    const bool in_turn = !expired && HasWindows(state->kind) && SaidInTurn(heard, *state);
    if (in_turn && StandsAgainst(heard, expire_after, state)) return;
    if (heard.limit) state->contradicted = 0;
    NoteLimit(heard, state);
    if (expired) {
      Replace(heard, &held);
    } else {
      MergeNewer(heard, &held);
    }
  }
  provider::Recompute(state->kind, &held);
  FoldNewestLevel(heard, limit_before && held.limit && *limit_before != *held.limit, state);
  if (!HasWindows(state->kind) || !heard.SaysLevel()) return;
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

}  // namespace apiquota::quota
