#include "proxy/request_record.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "provider/request_resource.h"
#include "proxy/client_address.h"

namespace apiquota::proxy {

void RequestRecord::Begin(const apis::Route& route, const net::Fingerprinter& fingerprinter,
                          const http::RequestHead& head, std::string_view path, std::string_view credential,
                          const apis::KeyChoice& choice, SteadyTime read_at) {
  route_ = &route;
  read_at_ = read_at;
  waited_ = {};
  if (access_log_) access_.emplace().began_at = read_at;
  exchange_.method = head.method;
  exchange_.host = route.base.host;
  apis::SetPath(route, path.substr(0, path.find('?')), &exchange_);
  exchange_.request_body.clear();
  exchange_.status = 0;
  body_.reset();
  sent_ = streamed_ = false;
  SetKey(fingerprinter, credential, choice);
  if (api_guard_ != nullptr) {
    const uint64_t whose = reinterpret_cast<uintptr_t>(account_.get());
    digest_.Begin(api_guard_->calls().seed() ^ whose, head.method, path);
  }
  if (head.framing != http::BodyFraming::kNone) ReadBody(head);
}

// A guard wants to know more of a body than who watches does, and sooner.
void RequestRecord::ReadBody(const http::RequestHead& head) {
  const provider::ExporterInfo& info = Info(*route_->exporter);
  const bool measured = account_ != nullptr && info.charge;
  const auto& pointers = account_ != nullptr ? info.guarded_request_pointers : info.request_pointers;
  if (pointers.size() == 0 && !measured) return;
  using Measure = provider::RequestReader::Measure;
  body_.emplace(pointers, head.fields, measured ? Measure::kYes : Measure::kNo);
  body_awaited_ =
      account_ != nullptr && (measured || provider::BodyMayNameResource(*route_->exporter, exchange_));
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
  call_route_ = {};
  counter_ =
      route_->declared ? observer_.CounterFor(route_->api, key_label_, clock_.RunningNow().at) : nullptr;
  account_ = guard_ != nullptr && route_->guard.active()
                 ? guard_->AccountFor(route_->api, key_label_, clock_.RunningNow().at)
                 : nullptr;
  api_guard_ = account_ != nullptr ? guard_->ApiFor(route_->api) : nullptr;
  if (account_ == nullptr && guard_ != nullptr && route_->guard.active()) {
    LogFolded(
        LogLevel::kWarn, "guard_full", route_->api,
        {{"api", route_->api}, {"effect", "too many keys at once: this one's requests are not guarded"}});
  }
}

void RequestRecord::Body(std::span<const std::string_view> slices) {
  if (api_guard_ != nullptr) {
    for (const std::string_view slice : slices) digest_.Add(slice);
  }
  if (!body_ || body_->Done()) return;
  const bool read = apis::Walled(*route_->metrics, [&] {
    for (const std::string_view slice : slices) body_->Write(slice);
  });
  if (!read) body_.reset();
}

void RequestRecord::TakeBodyValues() {
  if (!body_) return;
  auto more = body_->TakeValues();
  if (exchange_.request_body.empty()) {
    exchange_.request_body = std::move(more);
  } else {
    std::ranges::move(more, std::back_inserter(exchange_.request_body));
  }
}

std::string_view RequestRecord::caller_name() const {
  return key_caller_ != nullptr ? std::string_view(key_caller_->name) : std::string_view();
}

uint8_t RequestRecord::caller_priority() const {
  constexpr uint8_t kDefault = 3;
  return key_caller_ != nullptr ? key_caller_->priority : kDefault;
}

guard::LimitedCall RequestRecord::AsLimited(const http::RequestHead& head, double tokens) {
  if (address_.empty() || !trusted_proxies_.empty())
    address_ = ClientAddress(peer_, trusted_proxies_, head.fields);
  return {.method = exchange_.method,
          .path = exchange_.path,
          .caller = caller_name(),
          .key = key_label_,
          .address = address_,
          .fields = &head.fields,
          .tokens = tokens};
}

apis::Observed RequestRecord::Whose(bool body_unread) const {
  return {.exporter = *route_->exporter,
          .api = *route_->metrics,
          .key = *key_,
          .key_label = key_label_,
          .quotas = route_->quotas,
          .body_unread = body_unread,
          .request_unread = body_ && body_->Failed()};
}

void RequestRecord::CountSent() {
  sent_ = true;
  if (access_) ++access_->attempts;
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

void RequestRecord::AnsweredWith(int status) {
  route_->metrics->ProxyRequests(status).Add();
  if (access_) access_->status = status;
}

// What was answered well, and not as a stream, would have done in a batch, too.
void RequestRecord::ReportCall() {
  if (!call_route_.route || call_route_.path != exchange_.path || call_route_.method != exchange_.method) {
    const auto& batch = Info(*route_->exporter).batch;
    call_route_ = {exchange_.method, exchange_.path,
                   api_guard_->calls().RouteFor(exchange_.method, exchange_.path),
                   batch && Takes(*batch, exchange_)};
  }
  const bool well = exchange_.status >= 200 && exchange_.status < 300;
  const bool batchable = call_route_.batchable && well && !streamed_;
  const SystemTime at = exchange_.status != 0 ? exchange_.received_at : clock_.RunningNow().at;
  const bool identical = api_guard_->calls().Count(call_route_.route, digest_.Value(), batchable, at);
  route_->metrics->guard().CountCall(identical, batchable);
}

void RequestRecord::Finish(bool whole) {
  if (sent_ && api_guard_ != nullptr) ReportCall();
  if (whole) route_->metrics->upstream_duration().Observe(ToSeconds(SpentOn(clock_.SteadyNow())));
  if (access_) {
    LogAccess({.api = route_->api,
               .caller = caller_name(),
               .key = key_label_,
               .method = exchange_.method,
               .path = exchange_.path,
               .upstream_status = exchange_.status},
              *access_, clock_.SteadyNow());
  }
  route_ = nullptr;
}

}  // namespace apiquota::proxy
