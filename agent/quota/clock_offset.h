// How far an upstream's clock is from ours, as its Dates tell (docs/quota-semantics.md rule 8). Pure; no
// thread-safety of its own.
#pragma once

#include <optional>

#include "quota/said.h"

namespace apiquota::quota {

// How far the upstream's clock is ahead of ours. An answer that was late looks like a clock that is behind,
// so the greatest difference of the last minute or two counts.
struct ClockOffset {
  std::optional<Micros> current;   // since `since`,
  std::optional<Micros> previous;  // and in the minute before
  SystemTime since;
};

// Takes in one response and says by how much an absolute reset is to be put back; 0 within kSkew.
Micros Offset(const Said& said, SystemTime now, ClockOffset* offset);

}  // namespace apiquota::quota
