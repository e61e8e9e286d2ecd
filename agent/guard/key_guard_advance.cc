// Waits and their ends.
#include <algorithm>
#include <utility>

#include "guard/key_guard.h"
#include "guard/key_guard_state.h"

namespace apiquota::guard {
namespace {

Grant ToGrant(Waiter&& waiter, SystemTime now) {
  return {.waiter = waiter.id,
          .home = waiter.home,
          .ticket = 0,
          .refusal = std::nullopt,
          .reason = waiter.reason,
          .quota = std::move(waiter.quota),
          .waited = now - waiter.since};
}

}  // namespace

// Other attempts that are due go before those who wait.
void KeyGuard::State::ReleaseDelayed(SystemTime now) {
  for (auto it = delayed.begin(); it != delayed.end();) {
    if (it->not_before > now) {
      ++it;
      continue;
    }
    Place& place = PlaceFor(it->waiter.resource);
    place.queue.Push(std::move(it->waiter), kShareMin, true, now);
    it = delayed.erase(it);
  }
}

// Whoever waited for a cooldown leaves evenly.
void KeyGuard::State::BeginRamp(Place& place, SystemTime now) {
  size_t waiting = 0;
  for (const Place& each : places) {
    if (&each == &place || &place == &places.front()) waiting += each.queue.size();
  }
  place.ramp_left = waiting > 1 ? waiting : 0;
  if (place.ramp_left == 0) return;
  place.ramp_gap = kRampSpan / static_cast<int64_t>(waiting);
  place.ramp_next = now;
}

void KeyGuard::State::RefuseExpired(Place& place, SystemTime now, std::vector<Grant>* grants) {
  for (Waiter& waiter : place.queue.TakeExpired(now)) {
    const Gate gate = GateFor(waiter.AsRequest(), place, false, now);
    Grant& grant = grants->emplace_back(ToGrant(std::move(waiter), now));
    grant.refusal = Refuse(gate, 429, now).refusal;
  }
}

void KeyGuard::State::AdvancePlace(Place& place, SystemTime now, std::vector<Grant>* grants) {
  while (Waiter* head = place.queue.Head(now)) {
    const Request request = head->AsRequest();
    const Gate gate = GateFor(request, place, false, now);
    if (gate.at > now && gate.at <= head->deadline) return;
    if (gate.at > now && gate.reason == Reason::kCold) return;
    Waiter waiter = place.queue.PopHead(now);
    const bool admitted = gate.at <= now;
    const Id ticket = admitted ? Admit(waiter.AsRequest(), place, now) : 0;
    Grant& grant = grants->emplace_back(ToGrant(std::move(waiter), now));
    grant.ticket = ticket;
    if (!admitted) grant.refusal = Refuse(gate, 429, now).refusal;
  }
}

void KeyGuard::Advance(SystemTime now, std::vector<Grant>* grants) {
  state_->ReleaseDelayed(now);
  for (Place& place : state_->places) {
    if (place.queue.empty()) {
      place.ramp_left = &place == &state_->places.front() ? place.ramp_left : 0;
      continue;
    }
    state_->NoteWaiting(place, now);
    state_->AdvancePlace(place, now, grants);
    state_->RefuseExpired(place, now, grants);
  }
}

// At a reset those who wait leave evenly: how much that is.
void KeyGuard::State::NoteWaiting(Place& place, SystemTime now) {
  const TokenCost tokens = place.queue.tokens_waiting();
  const double requests = static_cast<double>(place.queue.size());
  EachPlace(place, [&](Place& each) {
    for (Limit& limit : each.limits) {
      const double cost = limit.CostOf(tokens);
      limit.NoteWaiting(limit.unit() == "tokens" ? cost : cost * requests, now);
    }
  });
}

std::optional<SystemTime> KeyGuard::NextAt(SystemTime now) const {
  std::optional<SystemTime> next;
  const auto sooner = [&](SystemTime at) { next = std::min(next.value_or(at), at); };
  for (const Delayed& delayed : state_->delayed) sooner(delayed.not_before);
  for (Place& place : state_->places) {
    Waiter* head = place.queue.Head(now);
    if (head == nullptr) continue;
    sooner(std::max(state_->GateFor(head->AsRequest(), place, false, now).at, now));
    if (const auto deadline = place.queue.NextDeadline()) sooner(*deadline);
  }
  return next;
}

void KeyGuard::Leave(Id waiter, SystemTime) {
  for (Place& place : state_->places) {
    if (place.queue.Remove(waiter)) return;
  }
  std::erase_if(state_->delayed, [&](const Delayed& delayed) { return delayed.waiter.id == waiter; });
}

void KeyGuard::State::DrainDelayed(SystemTime until, SystemTime now, std::vector<Grant>* grants) {
  for (auto it = delayed.begin(); it != delayed.end();) {
    it->waiter.deadline = std::min(it->waiter.deadline, until);
    if (it->not_before <= it->waiter.deadline) {
      ++it;
      continue;
    }
    Gate gate;
    gate.Later(it->not_before, Reason::kRetry, nullptr, nullptr);
    Grant& grant = grants->emplace_back(ToGrant(std::move(it->waiter), now));
    grant.refusal = Refuse(gate, 503, now).refusal;
    it = delayed.erase(it);
  }
}

// Whoever can't go before `until`, after those who came first, is refused; so is who comes now.
void KeyGuard::Drain(SystemTime until, SystemTime now, std::vector<Grant>* grants) {
  state_->draining = true;
  for (Place& place : state_->places) {
    for (Waiter& waiter : place.queue.TakeExpired(SystemTime::max())) {
      Request request = waiter.AsRequest();
      request.deadline = waiter.deadline = std::min(waiter.deadline, until);
      const Gate gate = state_->GateFor(request, place, true, now);
      if (gate.at <= request.deadline) {
        state_->Push(place, std::move(waiter), request, gate, now);
        continue;
      }
      Grant& grant = grants->emplace_back(ToGrant(std::move(waiter), now));
      grant.refusal = state_->Refuse(gate, 503, now).refusal;
    }
  }
  state_->DrainDelayed(until, now, grants);
  Advance(now, grants);
}

KeyView KeyGuard::View(SystemTime now) const {
  KeyView view;
  view.in_flight = state_->flights.size();
  view.waiting = state_->Waiting();
  for (const Place& place : state_->places) {
    if (!place.queue.empty())
      view.queues.push_back({place.resource, place.queue.size(), place.queue.Oldest()});
    if (const SystemTime until = place.cooldown.Until(now); until > now) {
      view.cooldowns.push_back(
          {place.resource, std::string(place.cooldown.evidence()), until, place.cooldown.probes()});
    }
    for (const Limit& limit : place.limits) {
      view.limits.push_back({place.resource, limit.quota(), limit.unit(), limit.limit(), limit.available(now),
                             limit.window_seconds(), limit.Reserved()});
    }
  }
  return view;
}

bool KeyGuard::idle(SystemTime now) const {
  if (!state_->flights.empty() || state_->Waiting() != 0) return false;
  return std::ranges::all_of(state_->places, [&](const Place& place) {
    return place.cooldown.idle(now) &&
           std::ranges::all_of(place.limits, [&](const Limit& limit) { return limit.idle(now); });
  });
}

}  // namespace apiquota::guard
