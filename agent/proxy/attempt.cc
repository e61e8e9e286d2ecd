#include "proxy/attempt.h"

#include <utility>

#include "http/websocket.h"

namespace apiquota::proxy {
namespace {

metrics::UpstreamError ToUpstreamError(net::ConnectError error) {
  switch (error) {
    case net::ConnectError::kDns:
      return metrics::UpstreamError::kDns;
    case net::ConnectError::kDnsTimeout:
      return metrics::UpstreamError::kDnsTimeout;
    case net::ConnectError::kForbidden:
      return metrics::UpstreamError::kAddressForbidden;
    case net::ConnectError::kUnreachable:
      return metrics::UpstreamError::kUnreachable;
    case net::ConnectError::kLocalLimit:
      return metrics::UpstreamError::kLocalDescriptors;
    case net::ConnectError::kRefused:
      return metrics::UpstreamError::kConnectRefused;
    case net::ConnectError::kTimeout:
      return metrics::UpstreamError::kConnectTimeout;
    case net::ConnectError::kCertificate:
      return metrics::UpstreamError::kTlsCertificate;
    case net::ConnectError::kHandshake:
      return metrics::UpstreamError::kTlsHandshake;
    case net::ConnectError::kTlsTimeout:
      return metrics::UpstreamError::kTlsTimeout;
    case net::ConnectError::kQueueFull:
      return metrics::UpstreamError::kQueueFull;
    case net::ConnectError::kQueueTimeout:
      return metrics::UpstreamError::kQueueTimeout;
  }
  return metrics::UpstreamError::kConnectRefused;
}

http::CodecLimits Limits(const ProxyOptions& options) {
  return {.head_bytes_max = options.head_bytes_max, .fields_max = options.fields_max};
}

}  // namespace

Attempt::Attempt(net::Loop& loop, const ProxyOptions& options, ResponseSink& sink)
    : loop_(loop), options_(options), sink_(sink), timer_(*this), parser_(Limits(options)) {}

void Attempt::Start(net::UpstreamPool& pool, const apis::UpstreamTimeouts& timeouts, std::string_view method,
                    std::string head, bool chunked, std::string websocket_accept) {
  ++attempts_;
  pool_ = &pool;
  first_byte_timeout_ = timeouts.first_byte;
  idle_timeout_ = timeouts.idle;
  method_ = method;
  head_ = std::move(head);
  chunked_ = chunked;
  websocket_accept_ = std::move(websocket_accept);
  head_sent_ = request_complete_ = paused_ = false;
  interims_.Reset();
  parser_.Reset(method);
  phase_ = Phase::kConnecting;
  const auto connection = pool.Acquire(*this);
  if (!connection) return Fail(ToUpstreamError(connection.error()));
  if (*connection == nullptr) return;  // the pool limits the wait
  connection_ = *connection;
  connection_->stream().SetHandler(this);
  connection_->stream().SetLowMark(options_.buffer_low_bytes);
  connection_->stream().SetInputLimit(options_.head_bytes_max);
  phase_ = Phase::kHead;
  sink_.OnConnection(false);
}

void Attempt::OnUpstream(net::UpstreamConnection& connection) {
  connection_ = &connection;
  connection_->stream().SetHandler(this);
  connection_->stream().SetLowMark(options_.buffer_low_bytes);
  connection_->stream().SetInputLimit(options_.head_bytes_max);
  phase_ = Phase::kHead;
  const uint64_t mine = attempts_;
  sink_.OnConnection(true);
  if (!IsStill(mine) || head_sent_) return;
  const std::string backlog = std::exchange(backlog_, {});
  const std::string_view slices[] = {backlog};
  Send(std::span(slices, backlog.empty() ? 0 : 1), request_complete_);
  if (IsStill(mine)) sink_.OnUpstreamDrained();
}

void Attempt::OnUpstreamFailed(net::ConnectFailure failure) {
  const metrics::UpstreamError error = ToUpstreamError(failure.error);
  if (failure.cause.empty()) return Fail(error);
  Fail(error, std::string(Info(error).detail).append(": ").append(failure.cause));
}

void Attempt::Send(std::span<const std::string_view> body, bool complete) {
  request_complete_ = complete;
  if (connection_ == nullptr) {
    for (const std::string_view slice : body) backlog_.append(slice);
    return;
  }
  pieces_.clear();
  const bool first = !std::exchange(head_sent_, true);
  if (first) pieces_.push_back(head_);
  chunk_line_.clear();
  if (chunked_ && !body.empty()) {
    size_t size = 0;
    for (const std::string_view slice : body) size += slice.size();
    http::AppendChunkHeader(size, &chunk_line_);
    pieces_.push_back(chunk_line_);
  }
  pieces_.insert(pieces_.end(), body.begin(), body.end());
  if (chunked_ && !body.empty()) pieces_.push_back(http::kChunkEnd);
  if (chunked_ && complete) pieces_.push_back(http::kLastChunk);
  if (!pieces_.empty()) connection_->stream().Write(pieces_);
  ArmTimer();
  if (first) sink_.OnRequestSent();
}

size_t Attempt::unsent() const {
  return connection_ != nullptr ? connection_->stream().unsent() : backlog_.size();
}

void Attempt::ArmTimer() {
  if (paused_) return timer_.Disarm();
  loop_.timers().Arm(timer_, phase_ == Phase::kBody ? idle_timeout_ : first_byte_timeout_);
}

void Attempt::Pause() {
  if (connection_ == nullptr || paused_) return;
  paused_ = true;
  connection_->stream().Pause();
  ArmTimer();
}

void Attempt::Resume() {
  if (connection_ == nullptr || !paused_) return;
  paused_ = false;
  connection_->stream().Resume();
  ArmTimer();
}

void Attempt::OnDrained() { sink_.OnUpstreamDrained(); }

std::optional<http::Refusal> Attempt::JudgeInterim(size_t bytes) {
  const http::ResponseHead& head = parser_.head();
  if (head.status != 101) return interims_.Take(bytes);
  if (websocket_accept_.empty()) return http::kUnaskedSwitch;
  if (!http::GrantsWebSocket(head, websocket_accept_)) return http::kWrongSwitch;
  return std::nullopt;
}

// True if what was parsed was an interim response: the final one is still to come, or will never.
bool Attempt::TakeInterim(size_t bytes) {
  const http::ResponseHead& head = parser_.head();
  if (head.status / 100 != 1) return false;
  if (const auto refusal = JudgeInterim(bytes)) {
    const metrics::UpstreamError error = metrics::ToUpstreamError(*refusal);
    Fail(error, Detail(error, *refusal));
    return true;
  }
  if (head.status == 101) {
    sink_.OnSwitched(head);
    return true;
  }
  const uint64_t mine = attempts_;
  if (head.status != 100) sink_.OnInterim(head);  // 100 was answered by us already
  if (IsStill(mine)) parser_.Reset(method_);
  return true;
}

void Attempt::OnBytes() {
  const uint64_t mine = attempts_;
  net::Stream& stream = connection_->stream();
  while (!stream.input().empty()) {
    if (!parser_.got_some()) sink_.OnResponseArrived();
    slices_.clear();
    const http::ParseStep step = parser_.Parse(stream.input(), &slices_);
    if (step.refusal) {
      const metrics::UpstreamError error = phase_ == Phase::kHead ? metrics::ToUpstreamError(*step.refusal)
                                                                  : metrics::UpstreamError::kTruncated;
      return Fail(error, Detail(error, *step.refusal));
    }
    stream.Consume(step.consumed);
    if (step.head_complete && TakeInterim(step.consumed)) {
      if (!IsStill(mine)) return;
      continue;
    }
    const bool something = step.head_complete || !slices_.empty() || step.complete;
    if (step.head_complete) phase_ = Phase::kFirstBodyByte;
    if (!slices_.empty()) phase_ = Phase::kBody;
    if (something) sink_.OnResponse(step.head_complete ? &parser_.head() : nullptr, slices_, step.complete);
    if (!IsStill(mine)) return;
    if (step.complete) return Complete(parser_.head().keep_alive && stream.input().empty());
    if (phase_ == Phase::kBody) ArmTimer();
    if (step.consumed == 0 || !something) return;
  }
}

void Attempt::OnEnd(net::StreamEnd end) {
  if (phase_ == Phase::kHead) return Fail(metrics::UpstreamError::kClosedEarly);
  if (end != net::StreamEnd::kClosed || !parser_.ParseEnd()) return Fail(metrics::UpstreamError::kTruncated);
  const uint64_t mine = attempts_;
  sink_.OnResponse(nullptr, {}, true);
  if (IsStill(mine)) Complete(false);
}

void Attempt::OnTimer(net::Timer&) {
  switch (phase_) {
    case Phase::kHead:
    case Phase::kFirstBodyByte:
      return Fail(metrics::UpstreamError::kFirstByteTimeout);
    default:
      return Fail(metrics::UpstreamError::kIdleTimeout);
  }
}

void Attempt::Complete(bool reusable) {
  net::UpstreamPool& pool = *std::exchange(pool_, nullptr);
  net::UpstreamConnection& connection = *std::exchange(connection_, nullptr);
  timer_.Disarm();
  phase_ = Phase::kIdle;
  // An answer that came before all of the request was sent leaves the upstream in the middle of a message.
  if (reusable && request_complete_ && connection.stream().unsent() == 0) {
    connection.stream().ShrinkInput();
    pool.Release(connection, parser_.head().keep_alive_timeout);
  } else {
    pool.Discard(connection);
  }
  sink_.OnComplete();
}

net::DetachedUpstream Attempt::Detach() {
  net::UpstreamPool& pool = *std::exchange(pool_, nullptr);
  timer_.Disarm();
  phase_ = Phase::kIdle;
  connection_->stream().SetHandler(nullptr);
  return pool.Detach(*std::exchange(connection_, nullptr));
}

void Attempt::Cancel() {
  if (pool_ == nullptr) return;
  net::UpstreamPool& pool = *std::exchange(pool_, nullptr);
  timer_.Disarm();
  backlog_.clear();
  phase_ = Phase::kIdle;
  if (connection_ != nullptr) return pool.Abort(*std::exchange(connection_, nullptr));
  pool.Cancel(*this);
}

void Attempt::Fail(metrics::UpstreamError error, std::string_view detail) {
  Cancel();
  sink_.OnAttemptFailed(error, detail);
}

}  // namespace apiquota::proxy
