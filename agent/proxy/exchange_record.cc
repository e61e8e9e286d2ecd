#include "proxy/exchange_record.h"

#include <utility>

#include "base/text.h"
#include "http/date.h"

namespace apiquota::proxy {
namespace {

constexpr size_t kScanBytesMax = 8 * 1024 * 1024;  // of a request: long prompts come before the model's name

double Seconds(std::chrono::nanoseconds span) { return static_cast<double>(span.count()) / 1e9; }

bool IsEncoded(const http::Fields& fields) {
  const auto coding = fields.Find("content-encoding");
  return coding && !coding->empty() && !EqualsIgnoreCase(*coding, "identity");
}

}  // namespace

void ExchangeRecord::Begin(const apis::Route& route, const net::Fingerprinter& fingerprinter,
                           const http::RequestHead& head, std::string_view path, std::string_view credential,
                           const apis::KeyChoice& choice, SteadyTime read_at) {
  route_ = &route;
  read_at_ = connect_began_ = read_at;
  waited_ = {};
  exchange_.method = head.method;
  exchange_.host = route.base.host;
  apis::SetPath(route, path.substr(0, path.find('?')), &exchange_);
  exchange_.request_body.clear();
  exchange_.response_body.clear();
  exchange_.stream_event.clear();
  exchange_.order = static_cast<uint64_t>(read_at.time_since_epoch().count());
  response_body_.reset();
  request_scan_.reset();
  const auto& pointers = Info(*route.exporter).request_pointers;
  if (!pointers.empty() && head.framing != http::BodyFraming::kNone && !IsEncoded(head.fields)) {
    request_scan_.emplace(pointers);
    scanned_bytes_ = 0;
  }
  SetKey(fingerprinter, credential, choice);
}

void ExchangeRecord::SetKey(const net::Fingerprinter& fingerprinter, std::string_view credential,
                            const apis::KeyChoice& choice) {
  const bool own = choice.key == nullptr && choice.action == apis::KeyChoice::Action::kPass;
  const std::string_view named = own ? credential : std::string_view();
  if (key_ != nullptr && key_route_ == route_ && key_caller_ == choice.caller && key_alias_ == choice.key &&
      credential_.Reveal() == named) {
    return;
  }
  key_route_ = route_;
  key_caller_ = choice.caller;
  key_alias_ = choice.key;
  credential_ = Secret(std::string(named));
  key_label_ = choice.key != nullptr ? choice.key->name : fingerprinter.Of(named);
  key_ = &route_->metrics->ForKey(key_label_, choice.caller != nullptr ? choice.caller->name : "");
  requests_ = nullptr;
  counter_ =
      route_->declared ? observer_.CounterFor(route_->api, key_label_, clock_.RunningNow().at) : nullptr;
}

void ExchangeRecord::RequestBody(std::span<const std::string_view> slices) {
  if (!request_scan_ || scanned_bytes_ >= kScanBytesMax) return;
  const bool scanned = apis::Walled(*route_->metrics, [&] {
    for (const std::string_view slice : slices) {
      if (request_scan_->Done() || scanned_bytes_ >= kScanBytesMax) return;
      request_scan_->Write(slice.substr(0, kScanBytesMax - scanned_bytes_));
      scanned_bytes_ += slice.size();
    }
  });
  if (!scanned) request_scan_.reset();
}

void ExchangeRecord::ConnectionReady(bool waited) {
  if (waited) waited_ = clock_.SteadyNow() - connect_began_;
}

void ExchangeRecord::RequestSent() {
  sent_at_ = clock_.SteadyNow();
  unanswered_ = true;
  if (counter_) counter_->Count(clock_.RunningNow().at);
  route_->metrics->overhead_request().Observe(Seconds(sent_at_ - read_at_ - waited_));
}

void ExchangeRecord::ResponseArrived() { arrived_at_ = clock_.SteadyNow(); }

void ExchangeRecord::ResponseSent(const http::ResponseHead& head) {
  unanswered_ = false;
  const SteadyTime now = clock_.SteadyNow();
  metrics::ApiMetrics& metrics = *route_->metrics;
  metrics.overhead_response().Observe(Seconds(now - arrived_at_));
  metrics.upstream_first_byte().Observe(Seconds(arrived_at_ - sent_at_));
  metrics.ProxyRequests(head.status).Add();
  if (requests_ == nullptr || requests_code_ != head.status || requests_method_ != exchange_.method) {
    requests_ = &key_->UpstreamRequests(http::Door::kProxy, exchange_.method, head.status);
    requests_code_ = head.status;
    requests_method_ = exchange_.method;
  }
  requests_->Add();
  if (!apis::Walled(metrics, [&] { ReadHead(head, now); })) response_body_.reset();
}

void ExchangeRecord::ReadHead(const http::ResponseHead& head, SteadyTime now) {
  exchange_.status = head.status;
  exchange_.fields = head.fields;
  const RunningTime running = clock_.RunningNow();
  exchange_.received_at = running.at;
  exchange_.system_ahead = running.system_ahead;
  exchange_.sent_at = running.at - std::chrono::ceil<Micros>(now - sent_at_);
  SetDate(head.fields.Find("date").value_or(""));
  if (request_scan_) exchange_.request_body = request_scan_->TakeValues();
  if (head.framing != http::BodyFraming::kNone)
    response_body_ = provider::BodyReader::For(*route_->exporter, exchange_);
  // A document may refine what its head says; a stream goes on for minutes, and its head is worth knowing
  // now.
  if (!response_body_ || response_body_->stream()) ObserveHead();
  if (response_body_ && response_body_->Done()) ObserveBody();
}

// Most responses come within the second of the one before.
void ExchangeRecord::SetDate(std::string_view text) {
  if (text == date_text_) return;
  date_text_ = text;
  exchange_.date = http::ParseHttpDate(text, exchange_.received_at);
}

void ExchangeRecord::ResponseBody(std::span<const std::string_view> slices) {
  if (!response_body_) return;
  const bool read = apis::Walled(*route_->metrics, [&] {
    for (const std::string_view slice : slices) response_body_->Write(slice);
    if (response_body_->Done()) ObserveBody();
  });
  if (!read) response_body_.reset();
}

apis::Observed ExchangeRecord::Whose(bool body_unread) const {
  return {.exporter = *route_->exporter,
          .api = *route_->metrics,
          .key = *key_,
          .key_label = key_label_,
          .quotas = route_->quotas,
          .body_unread = body_unread};
}

void ExchangeRecord::ObserveHead() { observer_.Observe(Whose(false), exchange_, exchange_.received_at); }

void ExchangeRecord::ObserveBody() {
  response_body_->TakeInto(&exchange_);
  const apis::Observed whose = Whose(response_body_->Failed());
  if (response_body_->stream()) {
    observer_.ObserveStream(whose, exchange_);
  } else {
    observer_.Observe(whose, exchange_, exchange_.received_at);
  }
  response_body_.reset();
}

void ExchangeRecord::UpstreamFailed(metrics::UpstreamError error, std::string_view detail) {
  unanswered_ = false;
  route_->metrics->CountUpstreamError(error, detail);
}
void ExchangeRecord::AnsweredByUs(int status) { route_->metrics->ProxyRequests(status).Add(); }

void ExchangeRecord::Finish(bool whole) {
  if (route_ == nullptr) return;
  if (response_body_) apis::Walled(*route_->metrics, [this] { ObserveBody(); });
  response_body_.reset();
  if (std::exchange(unanswered_, false))
    route_->metrics->CountUpstreamError(metrics::UpstreamError::kClientGone);
  if (whole) route_->metrics->upstream_duration().Observe(Seconds(clock_.SteadyNow() - read_at_ - waited_));
  route_ = nullptr;
}

}  // namespace apiquota::proxy
