#include "guard/key_guard.h"

#include <algorithm>
#include <set>
#include <utility>

#include "guard/key_guard_state.h"

namespace apiquota::guard {

KeyGuard::State::State(Options o, const std::vector<quota::DeclaredLimit>& declared, bool by_answer,
                       uint64_t seed)
    : options(std::move(o)), named_by_answer(by_answer), random(seed) {
  places.emplace_back();
  Declare(declared);
  ConfigureSlots();
}

void KeyGuard::State::ConfigureSlots() {
  const bool on = On(options.concurrency);
  slots.Configure(on ? options.concurrency->max : 0, on && options.concurrency->adaptive);
  if (!slots.limited()) return;
  for (const auto& [id, flight] : flights) slots.Take(id, flight.admitted_at);
}

void KeyGuard::State::Declare(const std::vector<quota::DeclaredLimit>& declared) {
  for (const quota::DeclaredLimit& limit : declared) {
    const auto same = [&](const Limit& known) { return known.quota() == limit.quota; };
    if (std::ranges::any_of(places.front().limits, same)) continue;
    places.front().limits.push_back(Limit::Declared(options.pace, limit));
  }
}

// The place of a resource. Where there is no room one goes that is not needed; else all that come share one,
// so that what is said of them holds up nobody else.
Place& KeyGuard::State::PlaceFor(std::string_view resource, SystemTime now) {
  const auto find = [&] { return std::ranges::find(places, resource, &Place::resource); };
  if (const auto known = find(); known != places.end()) return *known;
  if (places.size() > kResourcesMax && !MakeRoom(now)) {
    resource = kSharedResource;
    if (const auto shared = find(); shared != places.end()) return *shared;
  }
  Place& place = places.emplace_back();
  place.resource = resource;
  return place;
}

bool KeyGuard::State::MakeRoom(SystemTime now) {
  std::set<const Place*> used = {&places.front()};
  for (const auto& [id, flight] : flights) used.insert(flight.place);
  for (const Lost& each : lost) used.insert(each.flight.place);
  const auto idle = std::ranges::find_if(places, [&](const Place& place) {
    return place.resource != kSharedResource && !used.contains(&place) && place.queue.empty() &&
           place.ramp_left == 0 && place.idle(now);
  });
  if (idle == places.end()) return false;
  places.erase(idle);
  return true;
}

std::string_view KeyGuard::State::ResourceOf(const Request& request) {
  if (!request.resource.empty() || !named_by_answer) return request.resource;
  const std::string* known = memory.Find(request.route);
  return known != nullptr ? std::string_view(*known) : std::string_view();
}

Verdict KeyGuard::State::Refuse(const Gate& gate, int status, SystemTime now) const {
  Refusal refusal{.reason = gate.reason,
                  .status = draining ? 503 : status,
                  .until = std::max(gate.truth, now),
                  .resource = gate.place != nullptr ? gate.place->resource : std::string(),
                  .quota = {},
                  .limit = std::nullopt,
                  .window_seconds = std::nullopt};
  if (gate.limit != nullptr) {
    refusal.quota = gate.limit->quota();
    refusal.limit = gate.limit->limit();
    refusal.window_seconds = gate.limit->window_seconds();
  }
  return {.kind = Verdict::Kind::kRefuse,
          .id = 0,
          .reason = gate.reason,
          .quota = gate.limit != nullptr ? std::string_view(gate.limit->quota()) : std::string_view(),
          .refusal = std::move(refusal)};
}

Verdict KeyGuard::State::Enqueue(const Request& request, Place& place, const Gate& gate, SystemTime now) {
  Waiter waiter{.id = ++last_id,
                .home = request.home,
                .resource = place.resource,
                .route = std::string(request.route),
                .flow = std::string(request.flow),
                .urgency = request.urgency,
                .tokens = request.tokens,
                .capped = request.capped,
                .charged_at_start = request.charged_at_start,
                .text_bytes = request.text_bytes,
                .since = now,
                .deadline = request.deadline,
                .not_before = request.not_before,
                .reason = gate.reason,
                .quota = gate.limit != nullptr ? gate.limit->quota() : std::string()};
  const Verdict verdict{
      .kind = Verdict::Kind::kQueued,
      .id = waiter.id,
      .reason = gate.reason,
      .quota = gate.limit != nullptr ? std::string_view(gate.limit->quota()) : std::string_view()};
  if (request.again) {
    place.queue.Push(std::move(waiter), kShareMin, true, now);
  } else {
    Push(place, std::move(waiter), now);
  }
  return verdict;
}

// Its cost in the queue is the largest share it takes of a quota, whatever holds it now.
void KeyGuard::State::Push(Place& place, Waiter waiter, SystemTime now) {
  double share = kShareMin;
  EachPlace(place, [&](const Place& each) {
    for (const Limit& limit : each.limits) {
      const auto whole = limit.limit();
      if (whole && *whole > 0) share = std::max(share, limit.CostOf(waiter.tokens) / *whole);
    }
  });
  place.queue.Push(std::move(waiter), share, false, now);
}

Id KeyGuard::State::Admit(const Request& request, Place& place, SystemTime now) {
  // What is refused earns no retries.
  if (!request.again) retries.Requested(options.retry, now);
  const Id id = ++last_id;
  Flight& flight = flights[id];
  flight.place = &place;
  if (named_by_answer) flight.route = request.route;
  flight.tokens = request.tokens;
  flight.text_bytes = request.text_bytes;
  flight.charged_at_start = request.charged_at_start;
  flight.admitted_at = now;
  if (slots.limited()) slots.Take(id, now);
  EachPlace(place, [&](Place& each) {
    for (Limit& limit : each.limits) {
      const double cost = limit.CostOf(request.tokens);
      if (cost > 0) limit.Take(id, cost, now);
    }
    if (each.cooldown.TakeProbe(now)) flight.probe = true;
    if (each.probe_at && *each.probe_at <= now) each.probe_at = now + options.cooldown.probe_every;
    if (each.ramp_left != 0 && --each.ramp_left != 0) each.ramp_next = now + each.ramp_gap;
  });
  return id;
}

Verdict KeyGuard::State::Decide(const Request& request, Place& place, SystemTime now, Gate* to_tell) {
  const bool queue_on = On(options.queue) && !draining;
  const bool behind = queue_on && !request.again && place.queue.Head(now) != nullptr;
  Gate& gate = *to_tell;
  gate = GateFor(request, place, behind, now);
  if (request.capped && NeverFits(request, place, &gate)) {
    Verdict verdict = Refuse(gate, 429, now);
    verdict.refusal->never_fits = true;
    return verdict;
  }
  if (request.not_before > now) gate.Later(request.not_before, Reason::kRetry, nullptr, &place);
  if (gate.at <= now && !behind) return {.kind = Verdict::Kind::kAdmit};
  if (gate.at <= now) gate.reason = Reason::kQueue;
  if (gate.InVain(request.deadline)) return Refuse(gate, 429, now);
  if (!queue_on && gate.reason != Reason::kRetry) return Refuse(gate, 429, now);
  if (Waiting() + waiting_elsewhere >= options.queue.size && !request.again) {
    gate.reason = Reason::kQueue;
    return Refuse(gate, 503, now);
  }
  return Enqueue(request, place, gate, now);
}

size_t KeyGuard::State::Waiting() const {
  size_t waiting = 0;
  for (const Place& place : places) waiting += place.queue.size();
  return waiting;
}

KeyGuard::KeyGuard(Options options, std::vector<quota::DeclaredLimit> declared, bool named_by_answer,
                   uint64_t seed)
    : state_(std::make_unique<State>(std::move(options), std::move(declared), named_by_answer, seed)) {}
KeyGuard::~KeyGuard() = default;

size_t KeyGuard::waiting() const { return state_->Waiting(); }
void KeyGuard::SetWaitingElsewhere(size_t waiting) { state_->waiting_elsewhere = waiting; }

Verdict KeyGuard::Ask(const Request& request, SystemTime now) {
  if (state_->draining && request.deadline > state_->drained_by) {
    Request sooner = request;
    sooner.deadline = state_->drained_by;
    return Ask(sooner, now);
  }
  Place& place = state_->PlaceFor(state_->ResourceOf(request), now);
  const size_t before = request.again ? 0 : place.queue.size();
  Gate gate;
  Verdict verdict = state_->Decide(request, place, now, &gate);
  if (verdict.kind == Verdict::Kind::kAdmit) {
    verdict.id = state_->Admit(request, place, now);
    state_->NoteAllowed(request, place, now);
    return verdict;
  }
  Decision& decision = state_->NoteHeld(verdict.kind, request, place, gate, now);
  decision.waiting_before = before;
  decision.waiter = verdict.id;
  if (verdict.refusal && verdict.refusal->never_fits) decision.could_go.reset();
  return verdict;
}

std::optional<Refusal> KeyGuard::WouldRefuse(const Request& request, SystemTime now) const {
  const auto known = std::ranges::find(state_->places, state_->ResourceOf(request), &Place::resource);
  Place& place = known == state_->places.end() ? state_->places.front() : *known;
  const bool queue_on = state_->On(state_->options.queue);
  const Gate gate = state_->GateFor(request, place, queue_on && place.queue.Head(now) != nullptr, now);
  if (gate.at <= now || gate.reason == Reason::kCold) return std::nullopt;
  if (queue_on && !gate.InVain(request.deadline)) return std::nullopt;
  return state_->Refuse(gate, 429, now).refusal;
}

// What Ask would have said, and how long it would have had it wait; taken in any case.
Verdict KeyGuard::Judge(const Request& request, SystemTime now) {
  Place& place = state_->PlaceFor(state_->ResourceOf(request), now);
  const Gate gate = state_->GateFor(request, place, false, now);
  Verdict verdict;
  if (gate.at > now) {
    verdict = state_->Refuse(gate, 429, now);
    if (gate.at <= request.deadline || gate.unknown) verdict.kind = Verdict::Kind::kQueued;
    state_->NoteHeld(verdict.kind, request, place, gate, now);
  } else {
    state_->NoteAllowed(request, place, now);
  }
  verdict.id = state_->Admit(request, place, now);
  return verdict;
}

Id KeyGuard::Take(const Request& request, SystemTime now) {
  return state_->Admit(request, state_->PlaceFor(state_->ResourceOf(request), now), now);
}

void KeyGuard::Configure(Options options, std::vector<quota::DeclaredLimit> declared) {
  state_->options = std::move(options);
  state_->ConfigureSlots();
  for (Place& place : state_->places) {
    for (Limit& limit : place.limits) limit.SetPace(state_->options.pace);
  }
  state_->Declare(declared);
}

}  // namespace apiquota::guard
