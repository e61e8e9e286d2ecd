// What was decided about one request, in the numbers that decided: what /api/v1/explain tells. A value; times
// are running time (base/clock.h), amounts in the quota's own unit. But for the name of its
// resource nothing of the request's address, fields or body is in it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "guard/values.h"

namespace apiquota::guard {

std::string_view ToText(Verdict::Kind kind);  // allow delay reject

// The quota that had not enough left, as it was then.
struct HeldBy {
  std::string resource;  // whose it is; empty: of the key as a whole
  std::string quota, unit;
  std::optional<double> limit, window_seconds;
  std::optional<double> available;  // what is under way taken off; nothing: not known
  double cost = 0;  // what the request takes of it; 0: it is stopped at full use, and not paced
};

struct Decision {
  SystemTime at;
  Verdict::Kind kind = Verdict::Kind::kAdmit;
  Reason reason = Reason::kNone;
  std::string resource;  // whose quotas the request uses; empty: those of the key as a whole, or not known
  bool again = false;    // another attempt
  TokenCost tokens;      // what it reserves
  std::optional<size_t> waiting_before = 0;  // in its queue; nothing: not known
  std::optional<HeldBy> held_by;             // nothing: no quota did
  std::string evidence;                      // of the cooldown that held it; empty: none did
  std::optional<SystemTime> could_go;        // nothing: never, as far as is known
  SystemTime deadline;
  std::optional<Micros> waited = Micros(0);  // nothing: its wait is not over, or its client has left
  Id waiter = 0;
};

}  // namespace apiquota::guard
