// The last decisions, kept for whoever asks why. One that lets a request go at once costs a few stores.
#include <type_traits>

#include "guard/key_guard_state.h"

namespace apiquota::guard {
namespace {

constexpr double kNothing = 1e-6;  // what a quota that is stopped at full use is asked for is less

static_assert(std::is_trivially_copyable_v<Allowed>);  // nothing is allocated for it

std::optional<SystemTime> Known(SystemTime at) {
  return at == SystemTime::max() ? std::nullopt : std::optional(at);
}

}  // namespace

std::string_view ToText(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::kAdmit:
      return "allow";
    case Verdict::Kind::kQueued:
      return "delay";
    case Verdict::Kind::kRefuse:
      return "reject";
  }
  return "reject";
}

void KeyGuard::State::NoteAllowed(const Request& request, const Place& place, SystemTime now) {
  last_allowed = {.at = now,
                  .deadline = request.deadline,
                  .place = &place,
                  .tokens = request.tokens,
                  .again = request.again};
}

Decision& KeyGuard::State::NoteHeld(Verdict::Kind kind, const Request& request, const Place& place,
                                    const Gate& gate, SystemTime now) {
  Decision& decision = last_held ? *last_held : last_held.emplace();
  decision.at = now;
  decision.kind = kind;
  decision.reason = gate.reason;
  decision.resource = place.resource;
  decision.again = request.again;
  decision.tokens = request.tokens;
  decision.waiting_before = 0;
  const bool refused = kind == Verdict::Kind::kRefuse;
  decision.could_go = Known(std::max(refused ? gate.truth : gate.at, now));
  decision.deadline = request.deadline;
  decision.waited = refused ? std::optional(Micros(0)) : std::nullopt;
  decision.waiter = 0;
  decision.evidence.clear();
  const bool cools = gate.reason == Reason::kCooldown || gate.reason == Reason::kRetryAfter;
  if (cools && gate.place != nullptr) decision.evidence = gate.place->cooldown.evidence();
  if (gate.limit == nullptr) {
    decision.held_by.reset();
    return decision;
  }
  HeldBy& by = decision.held_by ? *decision.held_by : decision.held_by.emplace();
  const Limit& limit = *gate.limit;
  const double cost = limit.CostOf(request.tokens);
  by.resource = gate.place->resource;
  by.quota = limit.quota();
  by.unit = limit.unit();
  by.limit = limit.limit();
  by.window_seconds = limit.window_seconds();
  by.available = limit.available(now);
  by.cost = cost < kNothing ? 0 : cost;
  return decision;
}

// One that waited is refused after all.
Decision& KeyGuard::State::NoteGivenUp(const Waiter& waiter, const Place& place, const Gate& gate,
                                       SystemTime now) {
  Decision& decision = NoteHeld(Verdict::Kind::kRefuse, waiter.AsRequest(), place, gate, now);
  decision.waited = now - waiter.since;
  return decision;
}

void KeyGuard::State::NoteWent(Id waiter, Micros waited) {
  if (last_held && last_held->waiter == waiter) last_held->waited = waited;
}

// The newest decision of all; of two at one time the one that held a request tells more.
std::optional<Decision> KeyGuard::State::LastDecision() const {
  if (last_allowed.place == nullptr || (last_held && last_held->at >= last_allowed.at)) return last_held;
  Decision decision;
  decision.at = last_allowed.at;
  decision.resource = last_allowed.place->resource;
  decision.again = last_allowed.again;
  decision.tokens = last_allowed.tokens;
  decision.could_go = last_allowed.at;
  decision.deadline = last_allowed.deadline;
  return decision;
}

}  // namespace apiquota::guard
