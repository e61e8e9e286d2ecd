// From the upstream to the client. A piece that arrives leaves in the same turn. Where a guard decides by
// what it says, it is looked at before, and before the last one leaves all that the request holds is given
// back: with the answer in hand a client may ask again, by another loop, and what is then decided must know
// of it. Everywhere else it leaves first.
#include "proxy/admission.h"
#include "proxy/relay.h"
#include "proxy/worker.h"

namespace apiquota::proxy {

void Relay::OnConnection(bool waited) {
  attempt_record_.ConnectionReady(waited);
  connection_.Continue();
}

void Relay::OnRequestSent() {
  attempt_record_.RequestSent();
  request_sent_ = true;
  if (guarded() && guarded_->asked()) guarded_->Sent();
}

std::optional<http::LinkMapping> Relay::Links() const {
  return LinksOf(request_record_.route(), worker_.shared().scheme(), RequestAuthority(connection_.request()),
                 withheld_);
}

void Relay::OnInterim(const http::ResponseHead& head) {
  const auto links = Links();
  connection_.SendInterim(head, links ? &*links : nullptr);
}

// What either side says from now on is not HTTP, and not this relay's.
void Relay::OnSwitched(const http::ResponseHead& head) {
  attempt_record_.Response(&head, {});
  net::Stream client = connection_.SwitchToWebSocket(Explained(head));
  request_record_.AnsweredWith(head.status);
  attempt_record_.HeadSent();
  guard::Ticket ticket = guarded() ? guarded_->TakeTicket() : guard::Ticket();
  FinishRecords(true);
  worker_.BeginTunnel(*this, std::move(client), attempt_.Detach(), std::move(ticket));
}

// With what the guard adds to it; valid until the next one.
const http::ResponseHead& Relay::Explained(const http::ResponseHead& head) {
  return guarded() && guarded_->Explains(head.status) ? guarded_->Explain(head) : head;
}

void Relay::SendHead(const http::ResponseHead& head, std::span<const std::string_view> body, bool complete) {
  const auto links = Links();
  connection_.Send(&Explained(head), links ? &*links : nullptr, body, complete);
}

void Relay::OnResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                       bool complete) {
  if (guarded()) {
    if (head != nullptr && !guarded_->asked()) Watch();
    const bool held = head != nullptr ? guarded_->Holds(head->status) : guarded_->held().active();
    if (held) return OnHeldResponse(head, body, complete);
    if (head != nullptr) guarded_->body().LetGo();  // nothing is sent again from here on
  }
  if (cached()) return OnCachedResponse(head, body, complete);
  const bool decides = guarded() && !guarded_->only_watches();
  if (decides) attempt_record_.Response(head, body);
  if (decides && complete) Conclude();
  if (head != nullptr) {
    SendHead(*head, body, complete);
    request_record_.AnsweredWith(head->status);
    attempt_record_.HeadSent();
  } else {
    connection_.Send(nullptr, nullptr, body, complete);
  }
  if (!decides) attempt_record_.Response(head, body);
  if (!complete && connection_.unsent() >= worker_.shared().options.buffer_high_bytes) attempt_.Pause();
}

// Of an answer that has come to its end: all by which anything is decided, before its client has it.
void Relay::Conclude() {
  attempt_record_.Finish();
  if (cached()) cached_->Filled(guarded() ? guarded_->tokens() : std::nullopt, throttled());
  if (guarded()) guarded_->GiveBack(true);
}

void Relay::OnComplete() {
  if (guarded() && guarded_->held().active()) return JudgeHeld();
  if (cached()) return OnCachedComplete();
  FinishRecords(true);
}

void Relay::OnAttemptFailed(metrics::UpstreamError error, std::string_view detail) {
  const metrics::ReasonInfo& info = Info(error);
  attempt_record_.Failed(error, detail);
  if (guarded()) {
    if (!guarded_->asked() && guarded_->only_watches()) Watch();
    guarded_->Failed(error);
    if (RepeatsAfter(error)) return;
  }
  if (!request_record_.active()) return;
  const bool begun = connection_.response_begun();
  if (!begun && cached() && ServesInstead(true)) return;
  if (!begun) AnsweredWith(info.status);
  FinishRecords(false);
  if (orphan_) return worker_.Remove(*this);
  // Of a response that has begun, what came has been sent; the end must not look like one.
  begun ? connection_.CutShort() : Answer(info, detail);
}

}  // namespace apiquota::proxy
