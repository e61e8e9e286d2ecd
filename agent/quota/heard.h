// One reading as the ledger takes it: its times put on our clock, what can't be true left out. Pure; no
// thread-safety of its own.
#pragma once

#include <optional>

#include "provider/signals.h"
#include "quota/said.h"

namespace apiquota::quota {

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

// Puts an absolute reset back by `offset`; leaves out a reset more than 400 days off; takes a bucket whose
// reset has passed as full. `known_limit` completes a reading without one.
Heard Hear(const provider::Reading& reading, const Said& said, Micros offset,
           std::optional<double> known_limit);

}  // namespace apiquota::quota
