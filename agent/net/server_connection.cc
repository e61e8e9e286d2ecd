// From the client: requests, one after the other, and the connection's life.
#include "net/server_connection.h"

namespace apiquota::net {
namespace {

constexpr size_t kPipelinedMax = 16 * 1024;  // of requests behind the one under way

}  // namespace

ServerConnection::ServerConnection(Loop& loop, Stream stream, const ServerLimits& limits,
                                   RequestHandler& handler)
    : loop_(loop),
      stream_(std::move(stream)),
      limits_(limits),
      pace_(limits.stall_timeout, limits.rate_min),
      handler_(handler),
      timer_(*this),
      parser_(limits.codec) {
  stream_.SetHandler(this);
  stream_.SetLowMark(limits.low_bytes);
  stream_.SetInputLimit(limits.codec.head_bytes_max);
  stream_.Resume();
  Rearm();
}

void ServerConnection::OnBytes() {
  switch (state_) {
    case State::kReading:
      return ReadRequests();
    case State::kBusy:
      if (!request_complete_) return ReadBody();
      if (stream_.input().size() > kPipelinedMax) stream_.Pause();
      return;
    case State::kLingering:
      stream_.Consume(stream_.input().size());
      return Rearm();
    case State::kClosing:
      return stream_.Consume(stream_.input().size());
    case State::kGone:
      return;
  }
}

void ServerConnection::OnTurn() {
  if (state_ == State::kReading) ReadRequests();
}

void ServerConnection::OnEnd(StreamEnd end) {
  const bool no_handshake = end == StreamEnd::kHandshakeFailed || end == StreamEnd::kBadCertificate;
  if (no_handshake && state_ == State::kReading) {
    std::string detail(kTlsHandshake.detail);
    if (const std::string_view why = stream_.tls_failure(); !why.empty()) detail.append(": ").append(why);
    handler_.OnRefused({.status = kTlsHandshake.status, .rule = kTlsHandshake.rule, .detail = detail}, false);
  }
  End();
}

// Whoever leaves while nothing is read of it takes its request along all the same.
void ServerConnection::OnHangUp() {
  if (state_ == State::kReading || state_ == State::kBusy) End();
}

void ServerConnection::OnDrained() {
  if (state_ == State::kClosing && stream_.unsent() == 0) return Linger();
  if (state_ == State::kReading) return ReadRequests();
  if (state_ == State::kBusy) handler_.OnDrained();
  if (state_ == State::kBusy || state_ == State::kClosing) Rearm();
}

void ServerConnection::ReadRequests() {
  if (in_requests_) return;
  in_requests_ = true;
  bool gated = false;
  while (state_ == State::kReading && !stream_.input().empty()) {
    gated = stream_.unsent() >= limits_.high_bytes;
    if (gated) break;
    slices_.clear();
    const http::ParseStep step = parser_.Parse(stream_.input(), &slices_);
    if (step.refusal) {
      Refuse(http::NamingProtocol(*step.refusal, stream_.input()));
      break;
    }
    stream_.Consume(step.consumed);
    if (step.head_complete) {
      Begin(step);
      handler_.OnRequest(slices_, step.complete);
      continue;
    }
    break;
  }
  in_requests_ = false;
  if (state_ == State::kBusy && !request_complete_) return ReadBody();
  if (state_ != State::kReading) return;
  gated ? stream_.Pause() : stream_.Resume();
  Rearm();
}

void ServerConnection::Begin(const http::ParseStep& step) {
  const http::RequestHead& head = parser_.head();
  timer_.Disarm();
  state_ = State::kBusy;
  in_head_ = first_request_ = response_begun_ = false;
  body_.Stop();
  reading_.Stop();
  framing_ = {};
  request_complete_ = step.complete;
  keep_alive_ = head.keep_alive && !draining_;
  continue_due_ = head.expect_continue && !step.complete && slices_.empty();
}

void ServerConnection::ReadBody() {
  while (state_ == State::kBusy && !request_complete_ && handler_.WantsBody() && !stream_.input().empty()) {
    slices_.clear();
    const http::ParseStep step = parser_.Parse(stream_.input(), &slices_);
    if (step.refusal) return Refuse(*step.refusal);
    stream_.Consume(step.consumed);
    received_ += step.consumed;
    request_complete_ = step.complete;
    if (!slices_.empty() || step.complete) handler_.OnBody(slices_, step.complete);
    if (step.consumed == 0) break;
  }
  if (state_ != State::kBusy) return;
  if (!request_complete_) handler_.WantsBody() ? stream_.Resume() : stream_.Pause();
  Rearm();
}

void ServerConnection::ResumeBody() {
  if (state_ == State::kBusy && !request_complete_ && !in_requests_) ReadBody();
}

void ServerConnection::Refuse(const http::Refusal& refusal) {
  const bool begun = state_ == State::kBusy;
  keep_alive_ = false;
  handler_.OnRefused(refusal, begun);
  if (state_ != State::kReading && state_ != State::kBusy) return;
  if (begun && response_begun_) return Abort();
  Answer({.status = refusal.status,
          .proxy_status_error = "http_request_error",
          .rule = refusal.rule,
          .detail = refusal.detail});
}

void ServerConnection::Abort() {
  if (state_ == State::kGone) return;
  const bool mid_response = (state_ == State::kBusy && response_begun_) || stream_.unsent() > 0;
  if (mid_response) stream_.Reset();
  End();
}

void ServerConnection::Drain() {
  draining_ = true;
  if (state_ != State::kReading || parser_.got_some() || !stream_.input().empty()) return;
  if (stream_.unsent() == 0) return End();
  CloseAfterSending();
}

void ServerConnection::CloseAfterSending() {
  state_ = State::kClosing;
  body_.Stop();
  if (!reset_at_end_) stream_.ShutdownSend();
  if (stream_.unsent() == 0) return Linger();
  Rearm();
}

// Closing with unread bytes would send a RST, which may overtake the answer (RFC 9112 9.6).
void ServerConnection::Linger() {
  if (reset_at_end_) {
    stream_.Reset();
    return End();
  }
  state_ = State::kLingering;
  linger_until_ = {};
  stream_.Consume(stream_.input().size());
  stream_.Resume();
  Rearm();
}

void ServerConnection::End() {
  if (state_ == State::kGone) return;
  state_ = State::kGone;
  timer_.Disarm();
  Unlink();
  stream_.Close();
  handler_.OnGone();
}

}  // namespace apiquota::net
