// Which window of a fixed quota a reading speaks of (docs/quota-semantics.md rule 3). Pure; no thread-safety
// of its own.
#pragma once

#include "quota/held.h"

namespace apiquota::quota {

// How much two statements of the window's end may differ: kSkew, or half a shorter window.
Micros Tolerance(const Held& held);
// How much earlier the window's end may be than it was heard: what is left of it is added to the receipt, but
// was said before. REQUIRES: heard.end.
Micros Doubt(const Heard& heard);
bool SameEnd(const WindowEnd& a, const WindowEnd& b, Micros tolerance);

// How a reading of a fixed window relates to what is held.
enum class Relation : uint8_t {
  kOlder,  // of a window before, or overtaken by the answer that said another end
  kSame,
  kNext,   // the held window is over
  kMoved,  // another end while the held window runs: its reset moved, or there are two limiters
  kRose,   // more is left, or nothing holds any more, and no end tells why
};
Relation Relate(const Held& held, const Heard& heard, Micros expire_after);

}  // namespace apiquota::quota
