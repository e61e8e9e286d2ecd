#include "quota/fold.h"

#include <algorithm>

namespace apiquota::quota {

using provider::QuotaKind;
using provider::SignalField;

bool HasWindows(QuotaKind kind) { return kind != QuotaKind::kConcurrency && kind != QuotaKind::kBalance; }

bool SaysLevel(const Heard& heard) { return heard.remaining || heard.used; }

void FoldPeak(const Heard& heard, QuotaState* state) {
  if (!SaysLevel(heard)) return;
  FoldUse(heard.limit ? heard.limit : state->held.limit, heard.remaining, heard.used, &state->peaks);
}

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

double RefillPerSecond(const Held& held) {
  if (held.limit && held.window_seconds) return *held.limit / *held.window_seconds;
  if (!held.limit || !held.remaining || !held.reset_at || *held.reset_at <= held.level_at) return 0;
  return std::max(0.0, *held.limit - *held.remaining) / ToSeconds(*held.reset_at - held.level_at);
}

}  // namespace apiquota::quota
