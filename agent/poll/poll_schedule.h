// When a target is polled next. Pure functions of values; no clock, no timer, no randomness of their own:
// `roll` is a number in [0, 1) that the caller draws.
//
// Two polls of a target begin at least `every` apart, whatever happens. Jitter only ever makes it later. A
// target that fails is asked more and more seldom (twice the interval after the second failure in a row, and
// so on, up to 5 minutes or the interval itself); one that is asked to wait waits as long as it was told, a
// day at most.
#pragma once

#include <cstddef>
#include <optional>

#include "apis/poll_target.h"
#include "base/clock.h"

namespace apiquota::poll {

struct PollTimes {
  std::optional<SteadyTime> began;       // the last poll; nothing: there was none
  SteadyTime due;                        // the next one
  unsigned failures = 0;                 // in a row
  std::optional<SteadyTime> held_until;  // the API asked not to be asked before

  friend bool operator==(const PollTimes&, const PollTimes&) = default;
};

struct PollOutcome {
  bool failed = false;
  std::optional<Micros> wait;  // from the end of the poll: Retry-After, or until the exhausted quota resets
};

inline constexpr Micros kPollBackoffMax = std::chrono::minutes(5);
inline constexpr Micros kPollWaitMax = std::chrono::hours(24);

// Targets that begin together: the first at once, the others one after the other, spread over 100 ms each or
// over the interval, whichever is shorter. `index` is of `count` targets that begin now.
PollTimes FirstPoll(const apis::PollPlan& plan, size_t index, size_t count, SteadyTime now);

// After a poll that began at `began` has ended at `now`.
PollTimes NextPoll(const apis::PollPlan& plan, const PollTimes& times, SteadyTime began,
                   const PollOutcome& outcome, double roll, SteadyTime now);

// The configuration now says otherwise. Failures and waits are kept; with a shorter interval the next poll
// comes sooner, though never sooner than the new interval after the last one began.
PollTimes Replan(const apis::PollPlan& before, const apis::PollPlan& plan, const PollTimes& times,
                 SteadyTime now);

}  // namespace apiquota::poll
