#include "quota/fold.h"

#include <algorithm>

namespace apiquota::quota {

using provider::QuotaKind;

bool HasWindows(QuotaKind kind) { return kind != QuotaKind::kConcurrency && kind != QuotaKind::kBalance; }

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
