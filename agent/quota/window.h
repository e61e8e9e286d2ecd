// How one reading is taken in: its times put on our clock, what can't be true left out, and the
// rules by which two readings of one quota are ordered, merged and expire. Pure functions over
// values; no thread-safety of its own.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::quota {

// Two statements of one moment may differ this much: Date and most resets have whole seconds, and
// answers travel.
inline constexpr Micros kSkew = std::chrono::seconds(2);
// A Date is sane within a day of the receipt: a wrong clock or time zone is worth correcting, a
// recording is not.
inline constexpr Micros kDateSane = std::chrono::hours(24);
inline constexpr Micros kPlausible = std::chrono::days(400);  // resets and windows
// Our own clock may be set back by less than this unnoticed.
inline constexpr Micros kClockStep = std::chrono::seconds(5);

// When a reading was said: what orders it among others.
struct Said {
  SystemTime received_at;
  std::optional<SystemTime> date;  // the upstream's clock; absent unless sane
  std::optional<uint64_t> order;   // absent: restored, older than every request of this process

  friend bool operator==(const Said&, const Said&) = default;
};

// By the upstream's Date where both have one, then by the order of requests. Equal means the same
// response: not newer.
bool Newer(const Said& a, const Said& b);

// How far the upstream's clock is ahead of ours. An answer that was late looks like a clock that is behind,
// so the greatest difference of the last minute or two counts.
struct ClockOffset {
  std::optional<Micros> current;   // since `since`,
  std::optional<Micros> previous;  // and in the minute before
  SystemTime since;
};

// Takes in one response and says by how much an absolute reset is to be put back; 0 within kSkew.
Micros Offset(const Said& said, SystemTime now, ClockOffset* offset);

// The end of a fixed window as it was said. Compared as said, so that corrections of our clock
// never look like another window.
struct WindowEnd {
  SystemTime at;
  bool absolute = false;

  friend bool operator==(const WindowEnd&, const WindowEnd&) = default;
};

// A set of SignalFields.
using FieldSet = uint32_t;
constexpr FieldSet Bit(provider::SignalField field) { return 1u << static_cast<unsigned>(field); }

// What is known of a quota in its current window.
struct Held {
  std::optional<double> limit;
  std::optional<double> remaining;
  std::optional<double> used;
  std::optional<double> window_seconds;
  std::optional<SystemTime> reset_at;  // on our clock
  std::optional<WindowEnd> end;        // the same as said
  std::optional<std::string> policy;
  FieldSet derived = 0;
  Said said;            // the newest reading
  SystemTime since;     // the first reading of this window
  SystemTime level_at;  // the reading that said remaining or used: validity counts from it

  friend bool operator==(const Held&, const Held&) = default;
};

// One reading as the ledger takes it. Borrows `source`.
struct Heard {
  const provider::Reading* source = nullptr;
  Said said;
  std::optional<double> limit;
  std::optional<double> remaining;
  std::optional<double> used;
  std::optional<double> window_seconds;
  std::optional<SystemTime> reset_at;
  std::optional<WindowEnd> end;
  FieldSet derived = 0;
  bool full = false;  // a bucket whose reset had passed
  bool implausible_reset = false;
};

// Without a Date that is not sane.
Said Sane(Said said);

// Puts an absolute reset back by `offset`; leaves out a reset more than 400 days off; takes a bucket whose
// reset has passed as full. `known_limit` completes a reading without one.
Heard Hear(const provider::Reading& reading, const Said& said, Micros offset,
           std::optional<double> known_limit);

// When the reading in `held` ends: its reset, else what was said + window; absent if neither is
// known.
std::optional<SystemTime> KnownEnd(const Held& held);

// docs/quota-semantics.md rule 6: the known end, else expire_after from when it was said.
SystemTime HoldsUntil(const Held& held, Micros expire_after);
bool Holds(const Held& held, Micros expire_after, SystemTime now);

// A bucket's reset says when it will be full: from then on it is, as if that had been said then, for its
// window, else expire_after. REQUIRES: `held` is a bucket's.
bool FullAgain(const Held& held, Micros expire_after, SystemTime now);

// When the fixed window in `held` is over at the latest: its reset, else its first reading +
// window.
std::optional<SystemTime> WindowOver(const Held& held);

// How much two statements of the window's end may differ: kSkew, or half a shorter window.
Micros Tolerance(const Held& held);
bool SameEnd(const WindowEnd& a, const WindowEnd& b, Micros tolerance);

// How a reading of a fixed window relates to what is held.
enum class Relation { kOlder, kSame, kNewer };
Relation Relate(const Held& held, const Heard& heard, Micros expire_after);

// Newer statements overwrite, older ones fill gaps only.
void MergeFacts(const Heard& heard, bool overwrite, Held* held);

// remaining and used always come from one reading together. Does nothing if `heard` says neither.
void TakeLevel(const Heard& heard, Held* held);

// Fixed windows only go down: more use than is held replaces it, in whatever order it arrives.
std::partial_ordering CompareUse(const Heard& heard, const Held& held);

// Starts over with this reading alone.
void Replace(const Heard& heard, Held* held);

}  // namespace apiquota::quota
