// One quota's whole state: what is held, what was consumed, its peaks and its pace. A value and the
// three things that happen to it: a reading is folded in, time passes, it is shown. Pure; no
// thread-safety of its own.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "quota/consumption.h"
#include "quota/forecast.h"
#include "quota/held.h"
#include "quota/peaks.h"
#include "quota/snapshot.h"

namespace apiquota::quota {

// What the ends of a quota's windows have shown of its kind.
struct SeenKind {
  std::optional<WindowEnd> end;
  SystemTime at;  // when it was said
  int moves = 0;  // of the end, while its window ran
};

struct QuotaState {
  provider::QuotaKind described = provider::QuotaKind::kFixed;  // by the exporter
  provider::QuotaKind kind = provider::QuotaKind::kFixed;       // as it is, as far as is known
  bool seen = false;                                            // false: `held` means nothing yet
  Held held;
  SeenKind seen_kind;
  std::optional<Micros> kept_correction;  // of absolute resets
  int contradicted = 0;                   // the held reading, by another limiter's, in a row
  std::array<std::optional<double>, 3>
      limits_before;                     // those that the held one and its predecessors replaced
  std::optional<double> last_limit;      // outlives a window that did not say it
  std::optional<Micros> shortest_cycle;  // fixed: the least time between two consecutive resets
  Consumption consumption;
  Peaks peaks;
  Pace pace;
  uint64_t limit_changes = 0;
  uint64_t conflicts = 0;  // readings of two limiters under this name
};

struct FoldResult {
  std::optional<double> limit_before = {};  // the limit changed, from this
  bool implausible_reset = false;
  bool conflict = false;  // two limiters speak under this name
};

// REQUIRES: reading.kind == state->described.
FoldResult Fold(const provider::Reading& reading, const Moment& moment, Micros expire_after, SystemTime now,
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
