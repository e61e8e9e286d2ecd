// How much of a quota was consumed, as far as its readings tell (docs/quota-semantics.md rule 9). The total
// is monotone: what a reading adds is never below 0, and the first sight of a quota adds 0. Pure; no
// thread-safety of its own.
#pragma once

#include <optional>

#include "base/clock.h"
#include "quota/held.h"

namespace apiquota::quota {

// remaining, or −used where only that is known: it falls as the quota is consumed.
struct Level {
  double value = 0;
  bool of_used = false;  // the two are never compared
};
std::optional<Level> LevelOf(std::optional<double> remaining, std::optional<double> used);

// One fixed window's consumption: from its highest level (the limit, where the window is known to
// have started full) to the lowest seen.
struct WindowUse {
  std::optional<double> highest;
  std::optional<double> lowest;
  bool from_limit = false;

  double Consumed() const { return highest && lowest ? *highest - *lowest : 0; }
};

struct Consumption {
  double total = 0;
  bool of_used = false;
  WindowUse current;
  WindowUse previous;  // the fixed window before, for answers that arrive after its end
  std::optional<WindowEnd> previous_end;
  std::optional<double> last;  // kinds that come back otherwise: the newest level,
  SystemTime last_at;          // when it was said,
  double last_refill = 0;      // and what comes back per second from then on
  double rounding = 0;         // ≤ 0: a rise within rounding, still to be explained by refill
};

// A new beginning at this level: adds 0.
void StartOver(Level level, Consumption* consumption);

// A level within the current fixed window, in any order. One that may have been overtaken tells how high the
// window stood before; of any other a rise is not what was consumed.
void FoldSameWindow(Level level, bool overtaken, Consumption* consumption);

// The first level of a fixed window that followed one known to be over; `limit` is where it
// started, if known.
void FoldNextWindow(Level level, std::optional<double> limit, std::optional<WindowEnd> ended,
                    Consumption* consumption);

// A level of the window before, arriving late.
void FoldPreviousWindow(Level level, Consumption* consumption);

// The next level in time of a quota that comes back at `refill_per_second` (0: unknown or never),
// up to `limit`.
void FoldNext(Level level, SystemTime at, std::optional<double> limit, double refill_per_second,
              Consumption* consumption);

}  // namespace apiquota::quota
