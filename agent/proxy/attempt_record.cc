#include "proxy/attempt_record.h"

#include <utility>

#include "http/date.h"

namespace apiquota::proxy {

void AttemptRecord::Begin(SteadyTime now, SignalSink* sink) {
  began_at_ = now;
  sink_ = sink;
  http::Exchange& exchange = request_.exchange();
  exchange.order = static_cast<uint64_t>(now.time_since_epoch().count());
  exchange.response_body.clear();
  exchange.stream_event.clear();
  body_.reset();
}

void AttemptRecord::ConnectionReady(bool waited) {
  if (waited) request_.Waited(clock_.SteadyNow() - began_at_);
}

void AttemptRecord::RequestSent() {
  sent_at_ = clock_.SteadyNow();
  unanswered_ = true;
  request_.CountSent();
  metrics().overhead_request().Observe(ToSeconds(request_.SpentOn(sent_at_)));
}

void AttemptRecord::ResponseArrived() { arrived_at_ = clock_.SteadyNow(); }

void AttemptRecord::HeadSent() {
  metrics().overhead_response().Observe(ToSeconds(clock_.SteadyNow() - arrived_at_));
}

void AttemptRecord::Response(const http::ResponseHead* head, std::span<const std::string_view> body) {
  if (head != nullptr) ResponseHead(*head);
  ResponseBody(body);
}

void AttemptRecord::ResponseHead(const http::ResponseHead& head) {
  unanswered_ = false;
  const SteadyTime now = clock_.SteadyNow();
  metrics().upstream_first_byte().Observe(ToSeconds(arrived_at_ - sent_at_));
  request_.CountResponse(head.status);
  if (AccessFacts* access = request_.access()) {
    access->first_byte_at = arrived_at_;
    access->bytes = 0;
  }
  if (!apis::Walled(metrics(), [&] { ReadHead(head, now); })) body_.reset();
}

void AttemptRecord::ReadHead(const http::ResponseHead& head, SteadyTime now) {
  http::Exchange& exchange = request_.exchange();
  exchange.status = head.status;
  exchange.fields = head.fields;
  const RunningTime running = clock_.RunningNow();
  exchange.received_at = running.at;
  exchange.system_ahead = running.system_ahead;
  exchange.sent_at = running.at - std::chrono::ceil<Micros>(now - sent_at_);
  SetDate(head.fields.Find("date").value_or(""));
  request_.TakeBodyValues();
  if (head.framing != http::BodyFraming::kNone)
    body_ = provider::BodyReader::For(*request_.route().exporter, exchange);
  // A document may refine what its head says; a stream goes on for minutes, and its head is worth knowing
  // now.
  head_observed_ = !body_ || body_->stream();
  if (body_ && body_->stream()) request_.AnswerStreams();
  if (head_observed_) ObserveHead();
  if (body_ && body_->Done()) ObserveBody();
}

// Most responses come within the second of the one before.
void AttemptRecord::SetDate(std::string_view text) {
  if (text == date_text_) return;
  date_text_ = text;
  http::Exchange& exchange = request_.exchange();
  exchange.date = http::ParseHttpDate(text, exchange.received_at);
}

void AttemptRecord::ResponseBody(std::span<const std::string_view> slices) {
  if (AccessFacts* access = request_.access()) {
    for (const std::string_view slice : slices) access->bytes += slice.size();
  }
  if (!body_) return;
  const bool read = apis::Walled(metrics(), [&] {
    for (const std::string_view slice : slices) body_->Write(slice);
    if (body_->stream() && !std::exchange(head_observed_, true)) ObserveHead();
    if (body_->Done()) ObserveBody();
  });
  if (!read) body_.reset();
}

void AttemptRecord::ObserveHead() {
  const http::Exchange& exchange = request_.exchange();
  const auto signals = observer_.Observe(request_.Whose(false), exchange, exchange.received_at);
  Tell(exchange, signals);
  if (sink_ != nullptr) sink_->OnSignals(exchange, signals);
}

void AttemptRecord::Tell(const http::Exchange& exchange, const provider::Signals& signals) {
  AccessFacts* access = request_.access();
  if (access == nullptr) return;
  if (auto tightest = TightestOf(signals.readings, exchange.received_at))
    access->tightest = std::move(tightest);
}

void AttemptRecord::ObserveBody() {
  http::Exchange& exchange = request_.exchange();
  body_->TakeInto(&exchange);
  const apis::Observed whose = request_.Whose(body_->Failed());
  if (body_->stream()) {
    const auto signals = observer_.ObserveStream(whose, exchange);
    Tell(exchange, signals);
    if (sink_ != nullptr) sink_->OnStreamSignals(exchange, signals);
  } else {
    const auto signals = observer_.Observe(whose, exchange, exchange.received_at);
    Tell(exchange, signals);
    if (sink_ != nullptr) sink_->OnSignals(exchange, signals);
  }
  body_.reset();
}

void AttemptRecord::Failed(metrics::UpstreamError error, std::string_view detail) {
  unanswered_ = false;
  metrics().CountUpstreamError(error, detail);
}

void AttemptRecord::Finish() {
  if (body_) apis::Walled(metrics(), [this] { ObserveBody(); });
  body_.reset();
  if (std::exchange(unanswered_, false)) metrics().CountUpstreamError(metrics::UpstreamError::kClientGone);
}

}  // namespace apiquota::proxy
