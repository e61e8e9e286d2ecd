// One reading as the ledger takes it: its times put on our clock, what can't be true left out. Pure; no
// thread-safety of its own.
#pragma once

#include <optional>

#include "provider/amounts.h"
#include "provider/signals.h"
#include "quota/clock_offset.h"
#include "quota/said.h"

namespace apiquota::quota {

// The end of a fixed window as it was said. Compared as said, so that corrections of our clock
// never look like another window.
struct WindowEnd {
  SystemTime at;
  bool absolute = false;

  friend bool operator==(const WindowEnd&, const WindowEnd&) = default;
};

// One response's answer to "when?": when it was said, how far its upstream's clock is from ours, and how old
// it was when it came (RFC 9111 section 5.1, Age).
struct Moment {
  Said said;
  std::optional<ClockOffset> offset;
  Micros age{};
  Micros system_ahead{};  // of running time: the system clock is right where the upstream's is not known
};

// Borrows `source`.
struct Heard : provider::Amounts {
  const provider::Reading* source = nullptr;
  Said said;
  std::optional<ClockOffset> offset;
  std::optional<double> window_seconds;
  std::optional<SystemTime> reset_at;
  std::optional<WindowEnd> end;
  bool full = false;  // a bucket whose reset had passed
  bool implausible_reset = false;

  bool SaysLevel() const { return remaining || used; }
};

// Puts an absolute reset back by the offset and a relative one by its age; leaves out a reset more than 400
// days off; takes a bucket whose reset has long passed as full. `known_limit` completes a reading without
// one.
Heard Hear(const provider::Reading& reading, const Moment& moment, std::optional<double> known_limit);

}  // namespace apiquota::quota
