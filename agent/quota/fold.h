// How a reading changes a quota's state: one way for fixed windows, one for every kind that comes back
// otherwise (docs/quota-semantics.md rules 3 to 5). The inside of quota_state; nothing else includes it.
#pragma once

#include "quota/quota_state.h"

namespace apiquota::quota {

// REQUIRES: state->seen.
void FoldFixed(const Heard& heard, Micros expire_after, QuotaState* state);
void FoldNewest(const Heard& heard, Micros expire_after, QuotaState* state);

// A fixed window of which nothing is known yet.
void BeginFixed(const Heard& heard, QuotaState* state);

// The fixed window held, as its peak is kept.
WindowSpan FixedSpan(const QuotaState& state);

// Concurrency and balance don't come back by time.
bool HasWindows(provider::QuotaKind kind);

// Another limit than the held one; both said, not computed.
bool OtherLimit(const Heard& heard, const Held& held);

// Whether the held reading stays although `heard` says another limit: two limiters speak under one name, and
// the stricter is shown. Counts the conflict. One that is contradicted again and again without being said
// itself was a mistake.
bool StandsAgainst(const Heard& heard, Micros expire_after, QuotaState* state);

// Whether another limit was held before, and now is said again: then it was no other plan.
bool SaidInTurn(const Heard& heard, const QuotaState& state);
// Before `heard` takes the held reading's place.
void NoteLimit(const Heard& heard, QuotaState* state);

// Adds what was said to the open window's peak.
void FoldPeak(const Heard& heard, QuotaState* state);

// The pace at which a bucket comes back: limit per window, else what its reset implies; 0 if neither is
// known.
double RefillPerSecond(const Held& held);

}  // namespace apiquota::quota
