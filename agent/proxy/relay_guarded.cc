// What the guard decides about a request, carried out (docs/guard.md): it waits, is refused, is sent, and
// sent once more. An answer that may be followed by another attempt is held until it has been looked at.
#include <utility>

#include "proxy/relay.h"
#include "proxy/worker.h"

namespace apiquota::proxy {

// One that only watches streams its body at once, and asks when it has seen enough of it.
void Relay::BeginGuarded(SteadyTime now, std::string upstream_head, std::string websocket_accept,
                         std::span<const std::string_view> body, bool complete) {
  if (!guarded_) {
    Shared& shared = worker_.shared();
    net::TimerHandler& timer = *this;
    guarded_ = std::make_unique<GuardedRequest>(*shared.guard, shared.clock, shared.kept_bodies,
                                                shared.caller_waits, request_record_, timer, worker_.home());
  }
  guarded_->Begin(connection_.request(), std::move(upstream_head), std::move(websocket_accept));
  if (guarded_->only_watches()) {
    if (!StartAttempt(now, guarded_->upstream_head(), guarded_->websocket_accept())) return;
    return PassBody(body, complete);
  }
  request_record_.Body(body);
  guarded_->body().Add(body);
  if (complete || !request_record_.BodyAwaited() || guarded_->body().full()) return AskForTurn();
  connection_.Continue();
  worker_.loop().timers().Arm(guarded_->timer(), GuardedRequest::kBodyWaitMax);
}

void Relay::OnGuardedBody(std::span<const std::string_view> body, bool complete) {
  const bool enough = complete || !request_record_.BodyAwaited();
  if (guarded_->only_watches()) {
    if (enough && !guarded_->asked()) Watch();
    return attempt_.Send(body, complete);
  }
  if (attempt_.active()) {
    guarded_->body().AddSent(body);
    return attempt_.Send(body, complete);
  }
  guarded_->body().Add(body);
  if (!guarded_->asked() && (enough || guarded_->body().full())) AskForTurn();
}

void Relay::AskForTurn() { CarryOut(guarded_->Ask(connection_.request(), connection_.request_complete())); }

void Relay::Watch() {
  guarded_->Ask(connection_.request(), connection_.request_complete());
  if (request_sent_) guarded_->Sent();
}

void Relay::CarryOut(GuardedRequest::Step step) {
  switch (step) {
    case GuardedRequest::Step::kSend:
      return SendGuarded();
    case GuardedRequest::Step::kWait:
      return worker_.Await(guarded_->account(), guarded_->waiter(), *this);
    case GuardedRequest::Step::kRefuse:
      return RefuseGuarded();
  }
}

void Relay::OnGranted(guard::Granted granted) { CarryOut(guarded_->Take(std::move(granted))); }

// All of the body that has come goes first, then the rest as it comes.
void Relay::SendGuarded() {
  const SteadyTime now = worker_.shared().clock.SteadyNow();
  request_record_.BeginsAt(now);
  if (!StartAttempt(now, guarded_->upstream_head(), guarded_->websocket_accept())) return;
  const std::string_view kept[] = {guarded_->body().bytes()};
  attempt_.Send(std::span(kept, kept[0].empty() ? 0 : 1), connection_.request_complete());
  connection_.ResumeBody();
}

void Relay::RefuseGuarded() {
  if (cached() && ServesInstead(false)) return;
  const RefusalAnswer answer = guarded_->Refuse();
  AnsweredWith(answer.head.status);
  FinishRecords(false);
  if (orphan_) return worker_.Remove(*this);
  const std::string_view body[] = {answer.body};
  connection_.Send(&answer.head, nullptr, body, true);
}

void Relay::OnHeldResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                           bool complete) {
  HeldAnswer& held = guarded_->held();
  if (head != nullptr) {
    held.Begin(*head);
    worker_.loop().timers().Arm(guarded_->timer(), HeldAnswer::kTimeMax);
  }
  held.Add(body, complete);
  attempt_record_.Response(head, body);
  if (!complete && held.full()) JudgeHeld();
}

// What is known of it by now decides; one that can't be understood so far is relayed, and one that goes on
// and is not wanted is cut off.
void Relay::JudgeHeld() {
  HeldAnswer& held = guarded_->held();
  guarded_->timer().Disarm();
  if (held.complete()) attempt_record_.Finish();
  if (!guarded_->understood()) return RelayHeld();
  const auto step = guarded_->AskAgain(connection_.request(), held.head().status);
  if (!step) return RelayHeld();
  held.Clear();
  attempt_.Cancel();
  attempt_record_.Finish();
  CarryOut(*step);
}

void Relay::RelayHeld() {
  guarded_->body().LetGo();
  const HeldAnswer held = std::exchange(guarded_->held(), HeldAnswer());
  if (cached()) return RelayHeldCached(held);
  if (held.complete()) Conclude();
  const std::string_view body[] = {held.body()};
  SendHead(held.head(), std::span(body, held.body().empty() ? 0 : 1), held.complete());
  request_record_.AnsweredWith(held.head().status);
  if (held.complete()) return FinishRecords(true);
  if (connection_.unsent() >= worker_.shared().options.buffer_high_bytes) attempt_.Pause();
}

// True: it goes on.
bool Relay::RepeatsAfter(metrics::UpstreamError error) {
  if (guarded_->only_watches() || connection_.response_begun()) return false;
  HeldAnswer& held = guarded_->held();
  guarded_->timer().Disarm();
  attempt_record_.Finish();
  if (const auto step = guarded_->AskAgain(connection_.request(), error)) {
    held.Clear();
    CarryOut(*step);
    return true;
  }
  if (held.active()) RelayHeld();
  return false;
}

// The body that names the resource has not come in time, or what follows the head of an answer.
void Relay::OnTimer(net::Timer& timer) {
  if (cached() && &timer == &cached_->timer()) return OnCacheTimer();
  if (!guarded()) return;
  if (guarded_->held().active()) return JudgeHeld();
  if (!guarded_->asked()) AskForTurn();
}

}  // namespace apiquota::proxy
