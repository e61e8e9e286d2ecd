// The one arithmetic of limit, remaining and used: what follows from what, and how much of a quota is used
// (docs/quota-semantics.md rule 2). For readings, for the ledger and for whoever shows either. Pure.
#pragma once

#include <optional>

#include "provider/signals.h"

namespace apiquota::provider {

// Absent means not known, never zero.
struct Amounts {
  std::optional<double> limit;
  std::optional<double> remaining;
  std::optional<double> used;
  SignalFields derived;  // computed from the others, not said

  friend bool operator==(const Amounts&, const Amounts&) = default;
};

// Any one from the other two. Less than nothing left means overdrawn: 0 is left and more than the limit is
// used; without a limit above 0 to overdraw it is no amount at all. A balance alone may be below 0. More left
// than the limit tells nothing of use.
void Complete(QuotaKind kind, Amounts* amounts);

// Computed values once more, after one of those they follow from has changed.
void Recompute(QuotaKind kind, Amounts* amounts);

// From 0 up; above 1 for what is overdrawn. Absent without a limit above 0.
std::optional<double> UsedRatio(const Amounts& amounts);

}  // namespace apiquota::provider
