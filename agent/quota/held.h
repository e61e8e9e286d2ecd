// What is known of a quota now, how long it holds, and how another reading is merged into it
// (docs/quota-semantics.md rules 4 to 7). Pure; no thread-safety of its own.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "quota/heard.h"

namespace apiquota::quota {

// What is known of a quota in its current window.
struct Held : provider::Amounts {
  std::optional<double> window_seconds;
  std::optional<SystemTime> reset_at;  // on our clock
  std::optional<WindowEnd> end;        // as said first of this window: others are held against it
  std::optional<std::string> policy;
  Said said;         // the newest reading
  SystemTime since;  // the first reading of this window
  // The reading that said remaining or used: validity counts from its receipt. When its request was sent and
  // how far its upstream's clock was off are for those who order requests of their own by it.
  Said level;
  std::optional<ClockOffset> level_offset;

  bool SaysLevel() const { return remaining || used; }

  friend bool operator==(const Held&, const Held&) = default;
};

// When the reading in `held` ends: its reset, else what was said + window; absent if neither is
// known.
std::optional<SystemTime> KnownEnd(const Held& held);

// docs/quota-semantics.md rule 6: the known end, else expire_after from when it was said. A reading that was
// said at its own end, as far as clocks tell, holds kSkew longer.
SystemTime HoldsUntil(const Held& held, Micros expire_after);
bool Holds(const Held& held, Micros expire_after, SystemTime now);

// A bucket's reset says when it will be full: from then on it is, as if that had been said then, for its
// window, where that is said, else expire_after. REQUIRES: `held` is a bucket's.
bool FullAgain(const Held& held, Micros expire_after, SystemTime now);

// When the fixed window in `held` is over at the latest: its reset, else its first reading +
// window.
std::optional<SystemTime> WindowOver(const Held& held);

// Newer statements overwrite, older ones fill gaps only.
void MergeFacts(const Heard& heard, bool overwrite, Held* held);

// remaining and used always come from one reading together. Does nothing if `heard` says neither.
void TakeLevel(const Heard& heard, Held* held);

// All that a newer reading says, its end in the place of the held one. A level stays where it says none, and
// with it its reset, unless one to come is earlier now.
void MergeNewer(const Heard& heard, Held* held);

// Fixed windows only go down: more use than is held replaces it, in whatever order it arrives.
std::partial_ordering CompareUse(const Heard& heard, const Held& held);

// Starts over with this reading alone.
void Replace(const Heard& heard, Held* held);

}  // namespace apiquota::quota
