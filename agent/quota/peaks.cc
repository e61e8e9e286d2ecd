#include "quota/peaks.h"

#include <algorithm>

namespace apiquota::quota {

void OpenWindow(const WindowSpan& span, Peaks* peaks) {
  peaks->open = true;
  peaks->closes_at = span.closes_at;
  peaks->length = span.length;
  peaks->peak.reset();
  peaks->exhausted = false;
}

void FoldUse(const provider::Amounts& amounts, Peaks* peaks) {
  if (!peaks->open) return;
  if (const std::optional<double> ratio = provider::UsedRatio(amounts)) {
    peaks->peak = std::max(peaks->peak.value_or(*ratio), *ratio);
  }
  // A limit of 0 is a quota that was never granted, not one that ran out.
  const auto& [limit, remaining, used, derived] = amounts;
  if (limit == 0) return;
  if (remaining ? *remaining <= 0 : used && limit && *used >= *limit) peaks->exhausted = true;
}

void CloseWindow(Peaks* peaks) {
  if (!peaks->open) return;
  peaks->open = false;
  if (peaks->exhausted) ++peaks->windows_exhausted;
  if (!peaks->peak || !peaks->length || *peaks->length >= kShortWindow) return;
  const size_t bucket = std::ranges::lower_bound(kPeakBounds, *peaks->peak) - kPeakBounds.begin();
  ++peaks->histogram.counts[bucket];
  peaks->histogram.sum += *peaks->peak;
}

void CloseIfOver(SystemTime now, Peaks* peaks) {
  if (peaks->open && peaks->closes_at && now >= *peaks->closes_at) CloseWindow(peaks);
}

}  // namespace apiquota::quota
