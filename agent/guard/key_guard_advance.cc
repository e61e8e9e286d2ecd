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

// Nobody is left who would leave by one.
void KeyGuard::State::EndRamps() {
  for (Place& place : places) place.ramp_left = 0;
}

void KeyGuard::State::RefuseExpired(Place& place, SystemTime now, std::vector<Grant>* grants) {
  for (Waiter& waiter : place.queue.TakeExpired(now)) {
    Gate gate = GateFor(waiter.AsRequest(), place, false, now);
    if (gate.at <= now) gate.reason = Reason::kQueue;  // others were first until its time was over
    NoteGivenUp(waiter, place, gate, now).waiting_before.reset();
    Grant& grant = grants->emplace_back(ToGrant(std::move(waiter), now));
    grant.refusal = Refuse(gate, 429, now).refusal;
  }
}

// The one whose turn it is goes, or can't any more; false: nobody, or it waits on.
bool KeyGuard::State::AdvanceOne(Place& place, SystemTime now, std::vector<Grant>* grants) {
  Waiter* head = place.queue.Head(now);
  if (head == nullptr || Full(place, now)) return false;
  const Gate gate = GateFor(head->AsRequest(), place, false, now);
  if (gate.at > now && !gate.InVain(head->deadline)) return false;
  Waiter waiter = place.queue.PopHead(now);
  const bool admitted = gate.at <= now;
  const Id ticket = admitted ? Admit(waiter.AsRequest(), place, now) : 0;
  if (admitted) {
    NoteWent(waiter.id, now - waiter.since);
    place.turn = ++last_turn;
  } else {
    NoteGivenUp(waiter, place, gate, now);
  }
  Grant& grant = grants->emplace_back(ToGrant(std::move(waiter), now));
  grant.ticket = ticket;
  if (!admitted) grant.refusal = Refuse(gate, 429, now).refusal;
  return true;
}

// Queues take turns at what they share: one of the queue that was served longest ago goes first. Whoever must
// wait once must do so until something else happens.
void KeyGuard::Advance(SystemTime now, std::vector<Grant>* grants) {
  if (state_->Waiting() == 0) return state_->EndRamps();
  std::vector<Place*> waiting;
  for (Place& place : state_->places) {
    if (!place.queue.empty()) waiting.push_back(&place);
  }
  std::ranges::stable_sort(waiting, {}, &Place::turn);
  // What one takes may leave nothing for another, who is told so at once: until nothing more follows.
  for (size_t before = grants->size() + 1; before != grants->size();) {
    before = grants->size();
    for (std::vector<Place*> going = waiting; !going.empty();)
      std::erase_if(going, [&](Place* place) { return !state_->AdvanceOne(*place, now, grants); });
    for (Place* place : waiting) state_->RefuseExpired(*place, now, grants);
  }
  if (state_->Waiting() == 0) state_->EndRamps();
  state_->NoteWaiting(now);
}

// At a reset those who wait leave evenly: how much that is. For what holds for every resource all wait.
void KeyGuard::State::NoteWaiting(SystemTime now) {
  TokenCost all;
  for (const Place& place : places) {
    const TokenCost tokens = place.queue.tokens_waiting();
    all.input += tokens.input;
    all.output += tokens.output;
    all.counted += tokens.counted;
  }
  for (Place& place : places) {
    const bool of_all = &place == &places.front();
    const TokenCost tokens = of_all ? all : place.queue.tokens_waiting();
    const auto requests = static_cast<double>(of_all ? Waiting() : place.queue.size());
    for (Limit& limit : place.limits) {
      const double cost = limit.CostOf(tokens);
      limit.NoteWaiting(limit.unit() == "tokens" ? cost : cost * requests, now);
    }
  }
}

std::optional<SystemTime> KeyGuard::NextAt(SystemTime now) const {
  std::optional<SystemTime> next;
  const auto sooner = [&](std::optional<SystemTime> at) {
    if (at) next = std::min(next.value_or(*at), *at);
  };
  for (Place& place : state_->places) {
    if (place.queue.empty()) continue;
    sooner(place.queue.NextDeadline());
    sooner(place.queue.NextRested());
    const Waiter* head = place.queue.Head(now);
    if (head == nullptr) continue;
    if (state_->Full(place, now)) {
      sooner(state_->OthersUntil(place, now));
      continue;
    }
    sooner(std::max(state_->GateFor(head->AsRequest(), place, false, now).at, now));
  }
  return next;
}

void KeyGuard::Leave(Id waiter, SystemTime) {
  for (Place& place : state_->places) {
    if (place.queue.Remove(waiter)) return;
  }
}

// Whoever can't go before `until`, after those who came first, is refused; so is who comes now.
void KeyGuard::Drain(SystemTime until, SystemTime now, std::vector<Grant>* grants) {
  state_->draining = true;
  // Of an api that is gone only those are left that had been sent: they may be once more.
  state_->drained_by = until > now ? until : SystemTime::max();
  for (Place& place : state_->places) {
    for (Waiter& waiter : place.queue.TakeExpired(SystemTime::max())) {
      Request request = waiter.AsRequest();
      request.deadline = waiter.deadline = std::min(waiter.deadline, until);
      Gate gate = state_->GateFor(request, place, true, now);
      if (waiter.not_before > now) gate.Later(waiter.not_before, Reason::kRetry, nullptr, &place);
      if (gate.at <= request.deadline) {
        state_->Push(place, std::move(waiter), now);
        continue;
      }
      state_->NoteGivenUp(waiter, place, gate, now).waiting_before = place.queue.size();
      Grant& grant = grants->emplace_back(ToGrant(std::move(waiter), now));
      grant.refusal = state_->Refuse(gate, 503, now).refusal;
    }
  }
  Advance(now, grants);
}

KeyView KeyGuard::View(SystemTime now) const {
  KeyView view;
  view.in_flight = state_->flights.size();
  view.waiting = state_->Waiting();
  if (const Slots& slots = state_->slots; slots.limited())
    view.slots = {.in_use = slots.in_use(), .limit = slots.limit(now), .max = slots.max()};
  for (const Place& place : state_->places) {
    if (!place.queue.empty())
      view.queues.push_back(
          {place.resource, place.queue.size(), place.queue.Oldest(), place.queue.NextDeadline()});
    if (const SystemTime until = place.cooldown.Until(now); until > now) {
      view.cooldowns.push_back(
          {place.resource, std::string(place.cooldown.evidence()), until, place.cooldown.probes()});
    }
    for (const Limit& limit : place.limits) {
      view.limits.push_back({place.resource, limit.quota(), limit.unit(), limit.limit(), limit.available(now),
                             limit.window_seconds(), limit.Reserved()});
    }
  }
  view.last = state_->LastDecision();
  view.last_held = state_->last_held;
  return view;
}

bool KeyGuard::idle(SystemTime now) const {
  if (!state_->flights.empty() || state_->Waiting() != 0) return false;
  return std::ranges::all_of(state_->places, [&](const Place& place) { return place.idle(now); });
}

}  // namespace apiquota::guard
