#include "provider/amounts.h"

#include <algorithm>
#include <cmath>

namespace apiquota::provider {
namespace {

// Without the dust that binary fractions leave behind: 1 − 0.42 is 0.58.
double Clean(double value) { return std::round(value * 1e9) / 1e9; }

void Derive(SignalField field, double value, std::optional<double>* slot, Amounts* amounts) {
  *slot = Clean(value);
  amounts->derived.Add(field);
}

void SettleOverdrawn(Amounts* amounts) {
  if (!amounts->remaining || *amounts->remaining >= 0) return;
  if (!amounts->limit || *amounts->limit <= 0) return amounts->remaining.reset();
  const double used = *amounts->limit - *amounts->remaining;
  if (!amounts->used || *amounts->used < used) Derive(SignalField::kUsed, used, &amounts->used, amounts);
  amounts->remaining = 0;
}

}  // namespace

void Complete(QuotaKind kind, Amounts* amounts) {
  if (kind != QuotaKind::kBalance) SettleOverdrawn(amounts);
  const auto& [limit, remaining, used, derived] = *amounts;
  if (limit && remaining && !used && *remaining <= *limit) {
    Derive(SignalField::kUsed, *limit - *remaining, &amounts->used, amounts);
  } else if (limit && used && !remaining) {
    Derive(SignalField::kRemaining, std::max(0.0, *limit - *used), &amounts->remaining, amounts);
  } else if (!limit && remaining && used) {
    Derive(SignalField::kLimit, *remaining + *used, &amounts->limit, amounts);
  }
}

void Recompute(QuotaKind kind, Amounts* amounts) {
  const bool used_follows = amounts->derived.Has(SignalField::kUsed);
  const bool remaining_follows = amounts->derived.Has(SignalField::kRemaining);
  const bool overdrawn = amounts->remaining == 0 && amounts->limit && amounts->used > amounts->limit;
  if (used_follows && !remaining_follows && amounts->remaining && !overdrawn) {
    amounts->used.reset();
    amounts->derived.Remove(SignalField::kUsed);
  } else if (remaining_follows && !used_follows && amounts->used) {
    amounts->remaining.reset();
    amounts->derived.Remove(SignalField::kRemaining);
  }
  Complete(kind, amounts);
}

std::optional<double> UsedRatio(const Amounts& amounts) {
  const auto& [limit, remaining, used, derived] = amounts;
  if (!limit || *limit <= 0) return std::nullopt;
  if (remaining && *remaining > 0) return std::max(0.0, (*limit - *remaining) / *limit);
  const std::optional<double> of_used = used ? std::optional(*used / *limit) : std::nullopt;
  if (!remaining) return of_used;
  return std::max((*limit - *remaining) / *limit, of_used.value_or(0));
}

}  // namespace apiquota::provider
