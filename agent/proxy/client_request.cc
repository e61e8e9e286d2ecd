// From the client to the upstream: requests are read, judged and sent on.
#include "base/text.h"
#include "proxy/admission.h"
#include "proxy/client_session.h"
#include "proxy/worker.h"

namespace apiquota::proxy {
namespace {

constexpr size_t kRoutesNamed = 20;

std::string KnownRoutes(const apis::RouteTable& routes) {
  std::string text = "no configured api has this path; known routes:";
  size_t named = 0;
  for (const auto& route : routes.routes()) {
    if (++named > kRoutesNamed) return text + ", ...";
    text.append(named == 1 ? " " : ", ").append(route->prefix);
  }
  return named == 0 ? "no api is configured" : text;
}

}  // namespace

void ClientSession::ReadRequests() {
  if (in_requests_) return;
  in_requests_ = true;
  const size_t high = worker_.shared().options.buffer_high_bytes;
  while (state_ == State::kReading && !client_.input().empty()) {
    if (client_.unsent() >= high) {  // who does not read gets no further answer: OnDrained goes on
      client_.Pause();
      break;
    }
    slices_.clear();
    const http::ParseStep step = parser_.Parse(client_.input(), &slices_);
    if (step.refusal) {
      Refuse(NamingProtocol(*step.refusal, client_.input()));
      break;
    }
    if (!step.head_complete) {
      client_.Consume(step.consumed);
      break;
    }
    client_.Consume(step.consumed);  // before anything is done about it: that may close and discard the input
    StartRequest(step);
  }
  in_requests_ = false;
  if (state_ == State::kReading) ArmForReading();
  if (state_ == State::kRelaying) ReadBody();
}

void ClientSession::StartRequest(const http::ParseStep& step) {
  const SteadyTime now = worker_.shared().clock.SteadyNow();
  const http::RequestHead& head = parser_.head();
  timer_.Disarm();
  in_head_ = first_request_ = response_begun_ = false;
  request_complete_ = step.complete;
  keep_alive_ = head.keep_alive && !draining_;
  continue_due_ = head.expect_continue && !step.complete && slices_.empty();
  if (routes_ != worker_.routes()) {
    record_.Forget();
    routes_ = worker_.routes();
  }
  apis::RouteMatch match;
  apis::FoundCredential found;
  apis::KeyChoice choice;
  if (!Decide(&match, &found, &choice)) return;
  const apis::Route& route = *match.route;
  record_.Begin(route, routes_->fingerprinter(), head, match.path, found.value, choice, now);
  std::string upstream_head = exchange_.TakeHeadBuffer();
  upstream_head.clear();
  BuildUpstreamHead(match, found, choice, &upstream_head);
  state_ = State::kRelaying;
  exchange_.Start(worker_.PoolFor(route), head.method, std::move(upstream_head),
                  head.framing == http::BodyFraming::kChunked);
  if (!exchange_.active()) return;
  record_.RequestBody(slices_);
  exchange_.Send(slices_, step.complete);
}

// Everything that must hold before a request may go anywhere. False: it has been answered.
bool ClientSession::Decide(apis::RouteMatch* match, apis::FoundCredential* found, apis::KeyChoice* choice) {
  const http::RequestHead& head = parser_.head();
  const auto path = http::RequestPath(head.target);
  if (!path) return Refuse(path.error()), false;
  if (!MayAsk(head)) return Reject(metrics::Rejection::kHost, {}), false;
  if (http::IsLoop(head.fields, worker_.shared().pseudonym))
    return Reject(metrics::Rejection::kLoop, {}), false;
  const auto matched = routes_->Match(*path);
  if (!matched) return Reject(metrics::Rejection::kNoRoute, KnownRoutes(*routes_)), false;
  *match = *matched;
  const apis::Route& route = *match->route;
  const apis::CredentialDecision decided = apis::DecideCredential(*routes_, route, head, loopback_);
  *found = decided.found;
  *choice = decided.choice;
  if (choice->action == apis::KeyChoice::Action::kRefuse) return Reject(choice->refusal, {}), false;
  const bool injects = choice->action == apis::KeyChoice::Action::kInject;
  if (injects && !SameOrigin(head)) return Reject(metrics::Rejection::kOrigin, {}), false;
  return true;
}

bool ClientSession::MayAsk(const http::RequestHead& head) {
  const bool origin_form = head.target.starts_with('/');
  if (origin_form && !head.host.empty() && head.host == host_allowed_) return true;
  if (!HostAllowed(worker_.shared().hosts, head)) return false;
  if (origin_form) host_allowed_ = head.host;
  return true;
}

void ClientSession::BuildUpstreamHead(const apis::RouteMatch& match, const apis::FoundCredential& found,
                                      const apis::KeyChoice& choice, std::string* out) const {
  const provider::ExporterInfo& exporter = Info(*match.route->exporter);
  http::UpstreamRequest request{.head = &parser_.head(),
                                .base = &match.route->base,
                                .path = match.path,
                                .replace = {},
                                .drop = {},
                                .pseudonym = worker_.shared().pseudonym};
  std::optional<apis::InjectedField> injected;
  if (choice.action == apis::KeyChoice::Action::kInject) {
    injected = apis::InjectedCredential(exporter, found, *choice.key);
    if (injected) request.replace.push_back({injected->name, injected->value});
  }
  if (choice.action != apis::KeyChoice::Action::kPass) {
    for (const provider::CredentialRule& rule : exporter.credentials) request.drop.push_back(rule.header);
  }
  http::AppendUpstreamHead(request, out);
}

void ClientSession::ReadBody() {
  const size_t high = worker_.shared().options.buffer_high_bytes;
  while (state_ == State::kRelaying && !request_complete_ && exchange_.connected() &&
         !client_.input().empty()) {
    if (exchange_.unsent() >= high) {
      client_.Pause();
      break;
    }
    slices_.clear();
    const http::ParseStep step = parser_.Parse(client_.input(), &slices_);
    if (step.refusal) {
      exchange_.Cancel();
      return response_begun_ ? Finish() : Refuse(*step.refusal);
    }
    client_.Consume(step.consumed);
    request_complete_ = step.complete;
    record_.RequestBody(slices_);
    if (!slices_.empty() || step.complete) exchange_.Send(slices_, step.complete);
    if (step.consumed == 0) break;
  }
  ArmForRelaying();
}

void ClientSession::NextRequest() {
  state_ = State::kReading;
  parser_.Reset();
  client_.ShrinkInput();
  in_head_ = false;
}

void ClientSession::Refuse(const http::Refusal& refusal) {
  worker_.shared().rejections.Count(refusal);
  keep_alive_ = false;
  Answer(refusal.status, "http_request_error", refusal.rule, refusal.detail);
}

void ClientSession::Reject(metrics::Rejection rejection, std::string_view detail) {
  const metrics::ReasonInfo& info = Info(rejection);
  worker_.shared().rejections.Count(rejection);
  if (state_ == State::kReading && in_head_) keep_alive_ = false;  // there is no whole request to go on from
  Answer(info.status, info.proxy_status, info.label, detail.empty() ? info.detail : detail);
}

// An answer of ours. A request whose body is still coming can't be followed by another.
void ClientSession::Answer(int status, std::string_view proxy_status, std::string_view rule,
                           std::string_view detail) {
  if (record_.active()) {
    record_.AnsweredByUs(status);
    record_.Finish(false);
  }
  keep_alive_ = keep_alive_ && request_complete_ && !draining_;
  head_.clear();
  http::AppendOwnAnswer({.status = status,
                         .proxy_status_error = proxy_status,
                         .rule = rule,
                         .detail = detail,
                         .close = !keep_alive_,
                         .head_request = parser_.head().method == "HEAD"},
                        worker_.shared().clock.SystemNow(), &head_);
  client_.Write({head_});
  if (!keep_alive_) return CloseAfterSending();
  NextRequest();
}

}  // namespace apiquota::proxy
