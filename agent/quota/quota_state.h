// One quota's whole state: what is held, what was consumed, its peaks and its pace. A value and the
// three things that happen to it: a reading is folded in, time passes, it is shown. Pure; no
// thread-safety of its own.
#pragma once

#include <optional>
#include <string>

#include "quota/consumption.h"
#include "quota/forecast.h"
#include "quota/peaks.h"
#include "quota/snapshot.h"
#include "quota/clock_offset.h"
#include "quota/held.h"

namespace apiquota::quota {

struct QuotaState {
  provider::QuotaKind kind = provider::QuotaKind::kFixed;
  bool seen = false;  // false: `held` means nothing yet
  Held held;
  ClockOffset clock;
  std::optional<double> last_limit;      // outlives a window that did not say it
  std::optional<Micros> shortest_cycle;  // fixed: the least time between two consecutive resets
  Consumption consumption;
  Peaks peaks;
  Pace pace;
  uint64_t limit_changes = 0;
  SystemTime latest_now;  // to notice a clock that was set back
};

struct FoldResult {
  std::optional<double> limit_before;  // the limit changed, from this
  bool implausible_reset = false;
};

// REQUIRES: reading.kind == state->kind.
FoldResult Fold(const provider::Reading& reading, const Said& said, Micros expire_after, SystemTime now,
                QuotaState* state);

// Closes a window that is over by now.
void Advance(SystemTime now, QuotaState* state);

// Takes a reading kept over a restart: it holds as it did, counters begin at 0.
void Resume(Held held, Micros expire_after, SystemTime now, QuotaState* state);

// Whether its windows are short, so that their peaks are worth showing (docs/quota-semantics.md rule 11).
bool HasPeaks(const QuotaState& state);

// Everything of a QuotaView but its id and exporter.
QuotaView View(const QuotaState& state, Micros expire_after, SystemTime now);

}  // namespace apiquota::quota
