// Who waits, and who goes next (docs/guard.md, "The queue"): fair turns over flows (deficit_round_robin.h),
// costs as shares of the binding quota, urgencies as in RFC 9218. The one whose turn it is keeps its turn
// until it goes: small ones can't starve a large one.
//
// The more urgent go first, which alone would starve the others. Who has waited half its patience or 5 s
// while more urgent ones pass is lifted into a tier of its own, with turns over flows like any other; while
// both wait, the lifted and the plain get half each: the last class moves on, and an old backlog does not
// shut the door on urgent ones. Bounded by its owner. Pure; no thread-safety of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "guard/values.h"

namespace apiquota::guard {

// A request that waits: what it asked for, kept.
struct Waiter {
  Id id = 0;
  uint32_t home = 0;
  std::string resource, route, flow;
  uint8_t urgency = 3;
  TokenCost tokens;
  bool capped = false;
  bool charged_at_start = true;
  double text_bytes = 0;
  SystemTime since;  // it waits
  SystemTime deadline;
  SystemTime not_before = {};     // it rests until then: its turn can't come, and nobody waits behind it
  bool again = false;             // another attempt; set by Push
  Reason reason = Reason::kNone;  // what it waits for
  std::string quota;

  Request AsRequest() const;
};

class WaitQueue {
 public:
  WaitQueue();
  ~WaitQueue();
  WaitQueue(WaitQueue&&) noexcept;
  WaitQueue& operator=(WaitQueue&&) noexcept;

  // `share`: of the binding quota that it takes, above 0. `first`: before all others (another attempt). An id
  // that waits already is ignored; `since` is `now` unless it says another time.
  void Push(Waiter waiter, double share, bool first, SystemTime now);
  // Whose turn it is; null: nobody waits, or all who do rest. Stays the same one until it is popped, leaves,
  // or one comes first; it has its turn back after that one.
  Waiter* Head(SystemTime now);
  Waiter PopHead(SystemTime now);  // only if there is a Head
  std::optional<Waiter> Remove(Id id);
  // Those whose deadline has come, the earliest first; at the end of time: all.
  std::vector<Waiter> TakeExpired(SystemTime now);

  size_t size() const;
  bool empty() const { return size() == 0; }
  std::optional<SystemTime> NextDeadline() const;
  std::optional<SystemTime> Oldest() const;      // when the one that waits longest came
  std::optional<SystemTime> NextRested() const;  // when the next who rests can have its turn
  // What all who wait cost together, in tokens and in requests: for the truth about when the next could go.
  TokenCost tokens_waiting() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apiquota::guard
