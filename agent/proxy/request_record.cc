#include "proxy/request_record.h"

#include "base/text.h"

namespace apiquota::proxy {
namespace {

constexpr size_t kScanBytesMax = 8 * 1024 * 1024;  // long prompts come before the model's name

bool IsEncoded(const http::Fields& fields) {
  const auto coding = fields.Find("content-encoding");
  return coding && !coding->empty() && !EqualsIgnoreCase(*coding, "identity");
}

}  // namespace

void RequestRecord::Begin(const apis::Route& route, const net::Fingerprinter& fingerprinter,
                          const http::RequestHead& head, std::string_view path, std::string_view credential,
                          const apis::KeyChoice& choice, SteadyTime read_at) {
  route_ = &route;
  read_at_ = read_at;
  waited_ = {};
  exchange_.method = head.method;
  exchange_.host = route.base.host;
  apis::SetPath(route, path.substr(0, path.find('?')), &exchange_);
  exchange_.request_body.clear();
  body_scan_.reset();
  const auto& pointers = Info(*route.exporter).request_pointers;
  if (!pointers.empty() && head.framing != http::BodyFraming::kNone && !IsEncoded(head.fields)) {
    body_scan_.emplace(pointers);
    scanned_bytes_ = 0;
  }
  SetKey(fingerprinter, credential, choice);
}

void RequestRecord::SetKey(const net::Fingerprinter& fingerprinter, std::string_view credential,
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
  responses_ = nullptr;
  counter_ =
      route_->declared ? observer_.CounterFor(route_->api, key_label_, clock_.RunningNow().at) : nullptr;
}

void RequestRecord::Body(std::span<const std::string_view> slices) {
  if (!body_scan_ || scanned_bytes_ >= kScanBytesMax) return;
  const bool scanned = apis::Walled(*route_->metrics, [&] {
    for (const std::string_view slice : slices) {
      if (body_scan_->Done() || scanned_bytes_ >= kScanBytesMax) return;
      body_scan_->Write(slice.substr(0, kScanBytesMax - scanned_bytes_));
      scanned_bytes_ += slice.size();
    }
  });
  if (!scanned) body_scan_.reset();
}

void RequestRecord::TakeBodyValues() {
  if (body_scan_) exchange_.request_body = body_scan_->TakeValues();
}

apis::Observed RequestRecord::Whose(bool body_unread) const {
  return {.exporter = *route_->exporter,
          .api = *route_->metrics,
          .key = *key_,
          .key_label = key_label_,
          .quotas = route_->quotas,
          .body_unread = body_unread};
}

void RequestRecord::CountSent() {
  if (counter_) counter_->Count(clock_.RunningNow().at);
}

void RequestRecord::CountResponse(int status) {
  if (responses_ == nullptr || responses_code_ != status || responses_method_ != exchange_.method) {
    responses_ = &key_->UpstreamRequests(http::Door::kProxy, exchange_.method, status);
    responses_code_ = status;
    responses_method_ = exchange_.method;
  }
  responses_->Add();
}

void RequestRecord::AnsweredWith(int status) { route_->metrics->ProxyRequests(status).Add(); }

void RequestRecord::Finish(bool whole) {
  if (whole) route_->metrics->upstream_duration().Observe(ToSeconds(SpentOn(clock_.SteadyNow())));
  route_ = nullptr;
}

}  // namespace apiquota::proxy
