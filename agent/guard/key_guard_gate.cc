// What holds a request, and until when.
#include <algorithm>
#include <utility>

#include "guard/key_guard.h"
#include "guard/key_guard_state.h"

namespace apiquota::guard {
namespace {

// What those who wait cost of a limit, and how much of it that is with one more.
double AheadOf(const Limit& limit, const Request& request, const WaitQueue& queue) {
  if (queue.empty()) return 0;
  if (limit.unit() == "tokens") return limit.CostOf(queue.tokens_waiting());
  return limit.CostOf(request.tokens) * static_cast<double>(queue.size());
}

constexpr Micros kUnknownSlot = std::chrono::seconds(1);  // as long as no call has ended yet

bool IsLong(const Limit& limit, SystemTime at, SystemTime now) {
  const auto window = limit.window_seconds();
  const Micros longest = window ? std::max(kLongBlock, SecondsToMicros(*window * 1.5)) : kLongBlock;
  return at > now + longest;
}

}  // namespace

// While nothing has been heard of a place, a few at a time; the one that is unanswered for long makes room.
void KeyGuard::State::AskCold(const Place& place, SystemTime now, Gate* gate) const {
  if (place.answered || flights.size() + lost.size() < options.cold_concurrency) return;
  std::vector<SystemTime> free_at;
  for (const Lost& each : lost) {
    if (each.flight.place == &place) free_at.push_back(each.flight.admitted_at + kColdPatience);
  }
  for (const auto& [id, flight] : flights) {
    if (flight.place == &place && !flight.answered) free_at.push_back(flight.admitted_at + kColdPatience);
  }
  std::erase_if(free_at, [&](SystemTime at) { return at <= now; });
  if (free_at.size() < options.cold_concurrency) return;
  std::ranges::sort(free_at);
  gate->Later(free_at[free_at.size() - options.cold_concurrency], Reason::kCold, nullptr, &place);
}

void KeyGuard::State::AskLimits(const Request& request, Place& place, const WaitQueue* ahead, SystemTime now,
                                Gate* gate) {
  for (const Limit& limit : place.limits) {
    const double cost = limit.CostOf(request.tokens);
    if (cost <= 0 || (at_once && limit.slots() != nullptr)) continue;
    const SystemTime at = limit.EarliestFor(cost, ahead ? AheadOf(limit, request, *ahead) : 0, now);
    if (at <= now) continue;
    if (!IsLong(limit, at, now)) {
      gate->Later(at, Reason::kPace, &limit, &place);
      continue;
    }
    // One wrong reading must not close an API for a year.
    if (!place.probe_at) place.probe_at = now + options.cooldown.probe_every;
    gate->Later(std::min(at, *place.probe_at), Reason::kPace, &limit, &place);
    gate->truth = std::max(gate->truth, at);
  }
}

void KeyGuard::State::AskCooldown(const Place& place, SystemTime now, Gate* gate) const {
  const SystemTime until = place.cooldown.Until(now);
  if (until > now && !place.cooldown.ProbeDue(options.cooldown, now)) {
    const SystemTime probe = place.cooldown.NextProbe(options.cooldown, now).value_or(until);
    gate->Later(std::min(until, probe), place.cooldown.reason(), nullptr, &place);
    gate->truth = std::max(gate->truth, until);
  }
  if (place.ramp_left != 0) gate->Later(place.ramp_next, Reason::kRamp, nullptr, &place);
}

// What ends a wait for a slot is the end of a call. For those of the key all who wait stand in one line.
void KeyGuard::State::AskSlots(Place& place, bool behind_queue, SystemTime now, Gate* gate) {
  const auto ask = [&](const Slots& asked, size_t ahead, const Limit* limit, const Place* where) {
    if (asked.free(now)) return;
    const auto at = asked.FreeAt(behind_queue ? ahead : 0, now);
    gate->unknown = gate->unknown || !at;
    gate->Later(at.value_or(now + kUnknownSlot), Reason::kConcurrency, limit, where);
  };
  if (slots.limited()) ask(slots, Waiting(), nullptr, &places.front());
  if (!at_once || !On(options.pace)) return;
  EachPlace(place, [&](Place& each) {
    for (const Limit& limit : each.limits) {
      if (limit.slots() == nullptr) continue;
      ask(*limit.slots(), &each == &place ? place.queue.size() : Waiting(), &limit, &each);
    }
  });
}

bool KeyGuard::State::Full(Place& place, SystemTime now) {
  if (!slots.free(now)) return true;
  if (!at_once || !On(options.pace)) return false;
  bool full = false;
  EachPlace(place, [&](Place& each) {
    for (const Limit& limit : each.limits) full = full || (limit.slots() && !limit.slots()->free(now));
  });
  return full;
}

std::optional<SystemTime> KeyGuard::State::OthersUntil(Place& place, SystemTime now) {
  std::optional<SystemTime> first;
  EachPlace(place, [&](Place& each) {
    for (const Limit& limit : each.limits) {
      if (limit.slots() == nullptr || limit.slots()->free(now)) continue;
      const auto until = limit.slots()->OthersUntil(now);
      if (until) first = std::min(first.value_or(*until), *until);
    }
  });
  return first;
}

// `behind_queue`: after all who wait already.
Gate KeyGuard::State::GateFor(const Request& request, Place& place, bool behind_queue, SystemTime now) {
  Gate gate;
  const WaitQueue* ahead = behind_queue ? &place.queue : nullptr;
  EachPlace(place, [&](Place& each) {
    if (On(options.pace)) AskLimits(request, each, ahead, now, &gate);
    if (On(options.cooldown)) AskCooldown(each, now, &gate);
  });
  if (On(options.pace)) AskCold(place, now, &gate);
  AskSlots(place, behind_queue, now, &gate);
  gate.truth = std::max(gate.truth, gate.at);
  return gate;
}

bool KeyGuard::State::NeverFits(const Request& request, Place& place, Gate* gate) {
  bool never = false;
  EachPlace(place, [&](Place& each) {
    for (const Limit& limit : each.limits) {
      if (never || !limit.NeverFits(limit.CostOf(request.tokens))) continue;
      never = true;
      gate->limit = &limit;
      gate->place = &each;
      gate->reason = Reason::kPace;
    }
  });
  return never;
}

}  // namespace apiquota::guard
