#include "poll/poll_schedule.h"

#include <algorithm>
#include <cmath>

namespace apiquota::poll {
namespace {

constexpr Micros kApart = std::chrono::milliseconds(100);

// From the beginning of one poll to that of the next, jitter apart.
Micros Interval(const apis::PollPlan& plan, unsigned failures) {
  if (failures < 2) return plan.every;
  const Micros longest = std::max(plan.every, kPollBackoffMax);
  const double doubled = static_cast<double>(plan.every.count()) * std::exp2(std::min(failures - 1, 30U));
  return doubled < static_cast<double>(longest.count()) ? Micros(static_cast<int64_t>(doubled)) : longest;
}

Micros Jitter(const apis::PollPlan& plan, Micros interval, double roll) {
  return Micros(static_cast<int64_t>(static_cast<double>(interval.count()) * plan.jitter * roll));
}

}  // namespace

PollTimes FirstPoll(const apis::PollPlan& plan, size_t index, size_t count, SteadyTime now) {
  const Micros share = plan.every / static_cast<int64_t>(std::max<size_t>(count, 1));
  return {.began = {},
          .due = now + std::min(share, kApart) * static_cast<int64_t>(index),
          .failures = 0,
          .held_until = {}};
}

PollTimes NextPoll(const apis::PollPlan& plan, const PollTimes& times, SteadyTime began,
                   const PollOutcome& outcome, double roll, SteadyTime now) {
  PollTimes next;
  next.began = began;
  next.failures = outcome.failed ? times.failures + 1 : 0;
  const Micros interval = Interval(plan, next.failures);
  const Micros jitter = Jitter(plan, interval, roll);
  next.due = std::max(began + interval + jitter, now);
  if (outcome.wait && *outcome.wait > Micros(0)) {
    next.held_until = now + std::min(*outcome.wait, kPollWaitMax);
    // Many targets may have been told the same moment.
    next.due = std::max(next.due, *next.held_until + jitter);
  }
  return next;
}

PollTimes Replan(const apis::PollPlan& before, const apis::PollPlan& plan, const PollTimes& times,
                 SteadyTime now) {
  if (before == plan || !times.began) return times;
  PollTimes next = times;
  const SteadyTime earliest = *times.began + Interval(plan, times.failures);
  next.due = plan.every < before.every ? std::min(times.due, earliest) : std::max(times.due, earliest);
  if (times.held_until) next.due = std::max(next.due, *times.held_until);
  next.due = std::max(next.due, now);
  return next;
}

}  // namespace apiquota::poll
