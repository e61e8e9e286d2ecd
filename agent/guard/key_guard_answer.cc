// What becomes of an admitted request, and what its answer says.
#include <algorithm>
#include <utility>

#include "guard/key_guard.h"
#include "guard/key_guard_state.h"
#include "quota/said.h"

namespace apiquota::guard {
namespace {

bool Throttles(const Answer& answer) {
  return answer.throttle != nullptr && answer.throttle->scope != provider::ThrottleScope::kSpend;
}

// What a throttle of this scope is about: a primary one the resource, others the key as a whole.
bool OfTheKey(const provider::Throttle& throttle) {
  return throttle.scope == provider::ThrottleScope::kSecondary ||
         throttle.scope == provider::ThrottleScope::kConcurrency;
}

}  // namespace

// What a limit that is new to a request has not been told of it.
void KeyGuard::State::CatchUp(Limit* limit, Id id, const Flight& flight, SystemTime now) {
  const double cost = limit->CostOf(flight.tokens);
  if (cost <= 0) return;
  limit->Take(id, cost, flight.admitted_at);
  if (flight.sent) limit->Sent(id, flight.sent_at);
  if (flight.answered) limit->Answered(id, now);
}

// Requests of this route turn out to be of this resource.
void KeyGuard::State::Rehome(std::string_view route, std::string_view resource, SystemTime now) {
  Place& place = PlaceFor(resource, now);
  if (&place == &places.front()) return;
  for (auto& [id, flight] : flights) {
    if (flight.place != &places.front() || flight.route != route) continue;
    flight.place = &place;
    place.answered = place.answered || flight.answered;
    for (Limit& limit : place.limits) CatchUp(&limit, id, flight, now);
  }
}

// The limit that a reading speaks of, made if there is room. What is under way has not been taken of a new
// one, nor what ended without an answer, which the API may yet count.
Limit* KeyGuard::State::LimitFor(const provider::Reading& reading, SystemTime now) {
  Place& place = PlaceFor(reading.resource, now);
  const auto known = std::ranges::find(place.limits, reading.quota, &Limit::quota);
  if (known != place.limits.end()) {
    const bool at_a_time = reading.kind == provider::QuotaKind::kConcurrency;
    if (at_a_time == (known->slots() != nullptr)) return &*known;
    place.limits.erase(known);  // the operator, or its exporter's file, calls it something else now
  }
  if (place.limits.size() >= kLimitsPerResourceMax) return nullptr;
  Limit& limit = place.limits.emplace_back(options.pace, reading.quota, reading.unit, reading.kind,
                                           reading.kind_assumed);
  at_once = at_once || limit.slots() != nullptr;
  for (const auto& [id, flight] : flights) {
    if (flight.place == &place || &place == &places.front()) CatchUp(&limit, id, flight, now);
  }
  for (const Lost& each : lost) {
    if (each.flight.place != &place && &place != &places.front()) continue;
    CatchUp(&limit, each.id, each.flight, now);
    limit.Settle(each.id, limit.CostOf(each.flight.tokens), each.at, each.at + kOnItsWay);
  }
  return &limit;
}

void KeyGuard::State::Learn(const Flight& flight, Id id, const Answer& answer, SystemTime now) {
  const quota::Said said = quota::Sane({.sent_at = flight.sent_at,
                                        .received_at = answer.received_at,
                                        .date = answer.date,
                                        .order = std::nullopt},
                                       Micros(0));
  offsets.Note(said);
  auto offset = offsets.Agreed();
  if (!offset) offset = quota::OffsetOf(said);  // the clock that said the resets said this, too
  if (named_by_answer && !answer.resource.empty() && !flight.route.empty()) {
    memory.Learn(flight.route, answer.resource);
    Rehome(flight.route, answer.resource, now);
  }
  for (const provider::Reading& reading : answer.readings) {
    if (!provider::HasNumbers(reading)) continue;
    Limit* limit = LimitFor(reading, now);
    if (limit == nullptr) continue;
    // That it was sent is known a little later than it was, and the API may have counted it by then: what was
    // answered between the two need not be in what it says.
    limit->Hear({.reading = reading,
                 .ticket = id,
                 .counted = flight.charged_at_start || limit->unit() != "tokens",
                 .sent_at = flight.admitted_at,
                 .received_at = answer.received_at,
                 .offset = offset,
                 .throttled = Throttles(answer) && reading.remaining && *reading.remaining <= 0},
                now);
  }
  for (const provider::Reading& reading : answer.readings) {
    if (!reading.remaining || *reading.remaining <= 0) continue;
    EachPlace(*flight.place, [&](Place& each) { each.cooldown.Left(reading.quota, flight.sent_at, now); });
  }
  EachPlace(*flight.place, [&](Place& each) {
    for (Limit& limit : each.limits) {
      if (flight.charged_at_start || limit.unit() != "tokens") limit.Answered(id, now);
    }
  });
}

// A refusal: whoever else would ask waits, if there is evidence.
void KeyGuard::State::Throttled(const Flight& flight, const Answer& answer, SystemTime now) {
  // There is room again with the next call that ends: unless the API says when, nobody else waits for time.
  if (TooMany(flight, *answer.throttle, now) && !answer.retry_after_seconds) return;
  Place& place = OfTheKey(*answer.throttle) ? places.front() : *flight.place;
  std::optional<SystemTime> reset;
  std::optional<Micros> window;
  for (const provider::Reading& reading : answer.readings) {
    if (!reading.remaining || *reading.remaining > 0) continue;
    const Limit* limit = LimitFor(reading, now);
    if (limit == nullptr) continue;
    const SystemTime at = limit->EarliestFor(1, 0, now);
    if (at == SystemTime::max() || at <= now) continue;
    reset = std::max(reset.value_or(at), at);
    if (const auto seconds = limit->window_seconds()) window = SecondsToMicros(*seconds);
  }
  std::uniform_real_distribution<double> jitter(0, 1);
  place.cooldown.Refused(answer, {flight.admitted_at, flight.sent_at}, reset, window, jitter(random), now);
}

// More was under way than the API takes. True: there will be fewer.
bool KeyGuard::State::TooMany(const Flight& flight, const provider::Throttle& throttle, SystemTime now) {
  const bool concurrency = throttle.scope == provider::ThrottleScope::kConcurrency;
  if (!concurrency && throttle.scope != provider::ThrottleScope::kOverload) return false;
  slots.Refused(flight.admitted_at, now);
  bool fewer = slots.adaptive();
  EachPlace(*flight.place, [&](Place& each) {
    for (Limit& limit : each.limits) {
      if (limit.slots() == nullptr || !concurrency) continue;
      limit.TooMany(flight.admitted_at, now);
      fewer = fewer || limit.slots()->adaptive();
    }
  });
  return concurrency && fewer;
}

// A newer success ends a cooldown, and whoever waited for it leaves.
void KeyGuard::State::Served(const Flight& flight, SystemTime now) {
  EachPlace(*flight.place, [&](Place& each) {
    const bool held = each.cooldown.active(now);
    each.cooldown.Served(flight.sent_at, now);
    if (held && !each.cooldown.active(now)) BeginRamp(each, now);
  });
}

// One that broke has told what it could, too.
void KeyGuard::State::ProbeAnswered(const Flight& flight, SystemTime now) {
  EachPlace(*flight.place, [&](Place& each) {
    const bool held = each.cooldown.active(now);
    each.cooldown.ProbeAnswered(now);
    if (held && !each.cooldown.active(now)) BeginRamp(each, now);
  });
}

void KeyGuard::Sent(Id ticket, SystemTime now) {
  const auto found = state_->flights.find(ticket);
  if (found == state_->flights.end()) return;
  Flight& flight = found->second;
  flight.sent = true;
  flight.sent_at = now;
  state_->EachPlace(*flight.place, [&](Place& each) {
    for (Limit& limit : each.limits) limit.Sent(ticket, now);
  });
}

void KeyGuard::Answered(Id ticket, const Answer& answer, SystemTime now) {
  const auto found = state_->flights.find(ticket);
  if (found == state_->flights.end()) return;
  Flight& flight = found->second;
  const bool again = std::exchange(flight.answered, true);  // of a stream: what it said later
  flight.place->answered = true;
  state_->models.FirstByte(flight.place->resource, answer.received_at - flight.sent_at);
  state_->Learn(flight, ticket, answer, now);
  if (flight.probe) state_->ProbeAnswered(flight, now);
  if (Throttles(answer)) return state_->Throttled(flight, answer, now);
  if (answer.throttle != nullptr || answer.status >= 500) return;
  state_->Served(flight, now);
  if (again) return;
  state_->slots.Served();
  if (!state_->at_once) return;
  state_->EachPlace(*flight.place, [](Place& each) {
    for (Limit& limit : each.limits) limit.Served();
  });
}

void KeyGuard::State::End(Id ticket, const std::optional<TokenCost>& cost, SystemTime now) {
  const auto found = flights.find(ticket);
  if (found == flights.end()) return;
  Flight flight = std::move(found->second);
  flights.erase(found);
  if (slots.limited()) slots.End(ticket, now);
  if (flight.sent && !flight.answered) {
    lost.push_back({ticket, now, flight});
    if (lost.size() > kLostMax) lost.pop_front();
  }
  if (cost) models.Used(flight.place->resource, static_cast<size_t>(flight.text_bytes), *cost);
  const TokenCost tokens = cost.value_or(flight.tokens);
  // What ended without an answer may still be on its way to the API.
  const bool counted = flight.answered && (cost || flight.charged_at_start);
  const SystemTime counted_by = counted ? now : now + kOnItsWay;
  EachPlace(*flight.place, [&](Place& each) {
    for (Limit& limit : each.limits) {
      if (!flight.sent) {
        limit.GiveBack(ticket, now);
      } else {
        limit.Settle(ticket, limit.CostOf(tokens), now, counted_by);
      }
    }
  });
  if (flight.probe && !flight.answered) ProbeAnswered(flight, now);
}

void KeyGuard::Settle(Id ticket, const std::optional<TokenCost>& cost, SystemTime now) {
  state_->End(ticket, cost, now);
}

void KeyGuard::Release(Id ticket, SystemTime now) { state_->End(ticket, std::nullopt, now); }

RetryVerdict KeyGuard::AskRetry(const RetryAsk& ask, SystemTime now) {
  if (!state_->On(state_->options.retry)) return {.kind = RetryVerdict::Kind::kOff, .not_before = now};
  std::uniform_real_distribution<double> unit(0, 1);
  return state_->retries.Decide(ask, state_->options.retry, unit(state_->random), now);
}

TokenModel KeyGuard::ModelOf(std::string_view resource, std::string_view route) const {
  if (resource.empty() && state_->named_by_answer) {
    if (const std::string* known = state_->memory.Find(route)) resource = *known;
  }
  TokenModel model = state_->models.Of(resource);
  // An API whose answers name nothing has nothing to be blind to.
  model.blind = resource.empty() && state_->named_by_answer && state_->memory.size() != 0;
  return model;
}

}  // namespace apiquota::guard
