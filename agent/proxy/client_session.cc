// The connection's life: bytes, ends, timeouts, closing.
#include "proxy/client_session.h"

#include "proxy/worker.h"

namespace apiquota::proxy {
namespace {

constexpr size_t kPipelinedMax = 16 * 1024;  // of requests behind the one under way
constexpr Micros kLingerTimeout = std::chrono::seconds(2);

http::CodecLimits Limits(const ProxyOptions& options) {
  return {.head_bytes_max = options.head_bytes_max,
          .fields_max = options.fields_max,
          .target_bytes_max = options.target_bytes_max};
}

}  // namespace

ClientSession::ClientSession(Worker& worker, net::Stream stream)
    : worker_(worker),
      client_(std::move(stream)),
      timer_(*this),
      parser_(Limits(worker.shared().options)),
      routes_(worker.routes()),
      record_(worker.shared().clock, worker.shared().observer),
      exchange_(worker.loop(), worker.shared().options, *this),
      loopback_(client_.peer().ip.IsLoopback()) {
  client_.SetHandler(this);
  client_.SetLowMark(worker.shared().options.buffer_low_bytes);
  client_.SetInputLimit(worker.shared().options.head_bytes_max);
  client_.Resume();
  ArmForReading();
}

void ClientSession::OnBytes() {
  switch (state_) {
    case State::kReading:
      return ReadRequests();
    case State::kRelaying:
      if (!request_complete_) return ReadBody();
      if (client_.input().size() > kPipelinedMax) client_.Pause();
      return;
    case State::kClosing:
    case State::kLingering:
      return client_.Consume(client_.input().size());
    case State::kDone:
      return;
  }
}

void ClientSession::OnEnd(net::StreamEnd) { Finish(); }

// Whoever leaves while nothing is read of it takes its exchange with it all the same.
void ClientSession::OnHangUp() {
  if (state_ == State::kReading || state_ == State::kRelaying) Finish();
}

void ClientSession::OnDrained() {
  if (state_ == State::kClosing && client_.unsent() == 0) return Linger();
  if (state_ == State::kReading) {
    ReadRequests();
    if (state_ == State::kReading && client_.unsent() < worker_.shared().options.buffer_high_bytes)
      client_.Resume();
    return;
  }
  if (state_ != State::kRelaying) return;
  exchange_.Resume();
  ArmForRelaying();
}

void ClientSession::OnTimer(net::Timer&) {
  const bool stalled = client_.unsent() > 0;
  if (stalled && client_.sent() != progress_ && state_ != State::kLingering) return ArmForRelaying();
  switch (state_) {
    case State::kReading:
      if (in_head_) return Reject(metrics::Rejection::kHeadTimeout, {});
      return Finish();
    case State::kRelaying:
      if (stalled || response_begun_) {
        worker_.shared().rejections.Count(metrics::Rejection::kBodyTimeout);
        return Finish();
      }
      exchange_.Cancel();
      return Reject(metrics::Rejection::kBodyTimeout, {});
    default:
      return Finish();
  }
}

// The deadline for a head counts from its first byte (for a connection's first one, from the connection).
void ClientSession::ArmForReading() {
  const ProxyOptions& options = worker_.shared().options;
  const bool some = parser_.got_some() || !client_.input().empty();
  if (some && in_head_) return;
  in_head_ = some;
  if (some && first_request_) return;
  worker_.loop().timers().Arm(timer_,
                              some || first_request_ ? options.head_timeout : options.client_idle_timeout);
}

void ClientSession::ArmForRelaying() {
  const bool body_due =
      state_ == State::kRelaying && !request_complete_ && exchange_.connected() && !client_.paused();
  if (!body_due && client_.unsent() == 0) return timer_.Disarm();
  progress_ = client_.sent();
  worker_.loop().timers().Arm(timer_, worker_.shared().options.body_idle_timeout);
}

void ClientSession::CloseAfterSending() {
  state_ = State::kClosing;
  if (!reset_at_end_) client_.ShutdownSend();
  if (client_.unsent() == 0) return Linger();
  ArmForRelaying();
}

// Closing with unread bytes would send a RST, which may overtake the answer (RFC 9112 9.6).
void ClientSession::Linger() {
  if (reset_at_end_) {
    client_.Reset();
    return Finish();
  }
  state_ = State::kLingering;
  client_.Consume(client_.input().size());
  client_.Resume();
  worker_.loop().timers().Arm(timer_, kLingerTimeout);
}

void ClientSession::Drain() {
  draining_ = true;
  if (state_ == State::kReading && !parser_.got_some() && client_.input().empty()) Finish();
}

void ClientSession::Finish() {
  if (state_ == State::kDone) return;
  state_ = State::kDone;
  timer_.Disarm();
  exchange_.Cancel();
  record_.Finish(false);
  client_.Close();
  worker_.Remove(*this);
}

}  // namespace apiquota::proxy
