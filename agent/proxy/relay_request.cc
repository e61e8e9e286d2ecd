// From the client to the upstream: requests are judged and sent on.
#include <utility>

#include "base/text.h"
#include "http/websocket.h"
#include "net/websocket_accept.h"
#include "proxy/admission.h"
#include "proxy/idempotency_key.h"
#include "proxy/relay.h"
#include "proxy/worker.h"

namespace apiquota::proxy {
Relay::Relay(Worker& worker, net::Stream stream)
    : worker_(worker),
      loopback_(stream.peer().ip.IsLoopback()),
      routes_(worker.routes()),
      request_record_(worker.shared().clock, worker.shared().observer, worker.shared().guard,
                      stream.peer().ip, worker.shared().options.trusted_proxies,
                      worker.shared().options.access_log),
      attempt_record_(worker.shared().clock, worker.shared().observer, request_record_),
      attempt_(worker.loop(), worker.shared().options, *this),
      connection_(worker.loop(), std::move(stream), worker.shared().server_limits, *this) {}

void Relay::OnRequest(std::span<const std::string_view> body, bool complete) {
  if (turned_away_) return Reject(metrics::Rejection::kClientsMax, {});
  const SteadyTime now = worker_.shared().clock.SteadyNow();
  const http::RequestHead& head = connection_.request();
  if (routes_ != worker_.routes()) {
    request_record_.Forget();
    if (cached_) cached_->Forget();
    routes_ = worker_.routes();
  }
  apis::RouteMatch match;
  apis::FoundCredential found;
  apis::KeyChoice choice;
  if (!Decide(&match, &found, &choice)) return;
  const apis::Route& route = *match.route;
  request_record_.Begin(route, routes_->fingerprinter(), head, match.path, found.value(), choice, now);
  const auto websocket_key = http::WebSocketKey(head);
  const bool may_be_cached = route.guard.cache && !websocket_key;
  if (may_be_cached &&
      BeginCached({head, match, found, choice, routes_->fingerprinter()}, complete && body.empty())) {
    return;
  }
  std::string upstream_head = attempt_.TakeHeadBuffer();
  upstream_head.clear();
  BuildUpstreamHead(match, found, choice, websocket_key.has_value(), &upstream_head);
  std::string websocket_accept = websocket_key ? net::WebSocketAccept(*websocket_key) : std::string();
  if (may_be_cached && cached()) return GoOnCached(now, std::move(upstream_head), body, complete);
  Forward(now, std::move(upstream_head), std::move(websocket_accept), body, complete);
}

void Relay::Forward(SteadyTime now, std::string upstream_head, std::string websocket_accept,
                    std::span<const std::string_view> body, bool complete) {
  if (request_record_.account() != nullptr)
    return BeginGuarded(now, std::move(upstream_head), std::move(websocket_accept), body, complete);
  const bool begun = StartAttempt(now, std::move(upstream_head), std::move(websocket_accept));
  if (begun) PassBody(body, complete);
}

// Asks the upstream for what the client asked; of the body nothing yet. False: it has failed already, and
// what came of that is done.
bool Relay::StartAttempt(SteadyTime now, std::string upstream_head, std::string websocket_accept) {
  const uint64_t mine = ++attempts_begun_;
  const http::RequestHead& head = connection_.request();
  const apis::Route& route = request_record_.route();
  if (request_sent_ && cached()) cached_->NoteLost();
  request_sent_ = false;
  attempt_record_.Begin(now, guarded() ? guarded_.get() : nullptr);
  attempt_.Start(worker_.PoolFor(route, *routes_), route.timeouts, head.method, std::move(upstream_head),
                 head.framing == http::BodyFraming::kChunked, std::move(websocket_accept));
  return mine == attempts_begun_ && attempt_.active();
}

// Everything that must hold before a request may go anywhere. False: it has been answered.
bool Relay::Decide(apis::RouteMatch* match, apis::FoundCredential* found, apis::KeyChoice* choice) {
  const http::RequestHead& head = connection_.request();
  const auto path = http::RequestPath(head.target);
  if (!path) return Refuse(path.error()), false;
  if (!MayAsk(head)) return Reject(metrics::Rejection::kHost, {}), false;
  if (http::IsLoop(head.fields, worker_.shared().pseudonym))
    return Reject(metrics::Rejection::kLoop, {}), false;
  if (IsOwnPath(*path) && !routes_->IsHostOfApi(RequestAuthority(head))) return AnswerOwn(*path), false;
  const auto matched = routes_->Match(RequestAuthority(head), *path);
  if (!matched) return Reject(metrics::Rejection::kNoRoute, routes_->NoRoute(*path)), false;
  *match = *matched;
  const apis::Route& route = *match->route;
  apis::CredentialDecision decided = apis::DecideCredential(*routes_, route, head, loopback_);
  *found = std::move(decided.found);
  *choice = decided.choice;
  if (choice->action == apis::KeyChoice::Action::kRefuse)
    return Reject(choice->refusal, {}, route.api), false;
  const bool injects = choice->action == apis::KeyChoice::Action::kInject;
  if (injects && !SameOrigin(head)) return Reject(metrics::Rejection::kOrigin, {}, route.api), false;
  return true;
}

void Relay::AnswerOwn(std::string_view path) {
  using metrics::Rejection;
  const http::RequestHead& head = connection_.request();
  if (!IsBudgetPath(path))
    return Reject(Rejection::kNoRoute, "the agent has no such page of its own; there is /-/budget");
  if (head.method != "GET" && head.method != "HEAD") return Reject(Rejection::kOwnMethod, {});
  if (!SameOrigin(head)) return Reject(Rejection::kOrigin, {});
  if (routes_->callers().empty())
    return Reject(Rejection::kOwnToken, "no callers are configured, so nobody has a budget of its own");
  const apis::CallerOptions* caller = apis::CallerOf(*routes_, head.fields);
  if (caller == nullptr) return Reject(Rejection::kOwnToken, {});
  const std::string_view page[] = {
      worker_.budget_desk().PageFor(routes_, *caller, worker_.shared().clock.RunningNow())};
  http::ResponseHead answer;
  answer.status = 200;
  answer.reason = http::ReasonPhrase(200);
  answer.framing = http::BodyFraming::kLength;
  answer.content_length = page[0].size();
  answer.fields.Add("Content-Type", "application/json");
  answer.fields.Add("Cache-Control", "no-store");
  connection_.Send(&answer, nullptr, page, true);
}

bool Relay::MayAsk(const http::RequestHead& head) {
  const bool origin_form = head.target.starts_with('/');
  if (origin_form && !head.host.empty() && head.host == host_allowed_) return true;
  if (!HostAllowed(worker_.shared().hosts, worker_.port(), head)) return false;
  if (origin_form) host_allowed_ = head.host;
  return true;
}

void Relay::BuildUpstreamHead(const apis::RouteMatch& match, const apis::FoundCredential& found,
                              const apis::KeyChoice& choice, bool websocket, std::string* out) {
  const provider::ExporterInfo& exporter = Info(*match.route->exporter);
  http::UpstreamRequest request{.head = &connection_.request(),
                                .base = &match.route->base,
                                .path = match.path,
                                .replace = {},
                                .drop = {},
                                .pseudonym = worker_.shared().pseudonym,
                                .upgrade = websocket ? http::kWebSocket : std::string_view()};
  std::optional<apis::InjectedCredential> injected;
  if (choice.action == apis::KeyChoice::Action::kInject) {
    injected = apis::InjectKey(exporter, found, *choice.key);
    if (injected && !injected->in_query) request.replace.push_back({injected->name, injected->value});
  }
  std::optional<http::FieldView> condition;
  if (cached() && (condition = cached_->condition())) request.replace.push_back(*condition);
  withheld_ = injected && injected->in_query ? choice.key->value.Reveal() : std::string_view();
  std::string path;
  if (choice.action != apis::KeyChoice::Action::kPass) {
    for (const provider::CredentialRule& rule : exporter.credentials) {
      if (!rule.header.empty()) request.drop.push_back(rule.header);
    }
    path = match.path;
    if (ReplaceInTarget(exporter, injected, &path)) request.path = path;
  }
  std::string idempotency_key;  // one for all attempts, which send this head
  if (GetsIdempotencyKey(match.route->guard, connection_.request(), request_record_.exchange().path)) {
    idempotency_key = RandomUuid();
    request.replace.push_back({kIdempotencyKey, idempotency_key});
  }
  http::AppendUpstreamHead(request, out);
}

bool Relay::WantsBody() {
  if (cached_ && cached_->reads_body()) return !cached_->body().full();
  if (guarded() && !attempt_.active()) return !guarded_->body().full();
  return attempt_.connected() && attempt_.unsent() < worker_.shared().options.buffer_high_bytes;
}

void Relay::OnBody(std::span<const std::string_view> body, bool complete) {
  if (cached_ && cached_->reads_body()) return OnCachedBody(body, complete);
  if (cached_ && cached_->wants_body()) WatchBody(body, complete);
  PassBody(body, complete);
}

void Relay::PassBody(std::span<const std::string_view> body, bool complete) {
  request_record_.Body(body);
  if (guarded()) return OnGuardedBody(body, complete);
  attempt_.Send(body, complete);
}

void Relay::OnRefused(const http::Refusal& refusal, bool request_begun) {
  worker_.shared().rejections.Count(refusal);
  if (cached() && cached_->Outlives(request_sent_)) return;  // its client's connection ends now
  attempt_.Cancel();
  if (!request_record_.active()) return;
  if (request_begun && !connection_.response_begun()) request_record_.AnsweredWith(refusal.status);
  FinishRecords(false);
}

void Relay::OnGone() {
  if (cached() && BecomesOrphan()) return;
  attempt_.Cancel();
  FinishRecords(false);
  worker_.Remove(*this);
}

void Relay::FinishRecords(bool whole) {
  if (!request_record_.active()) return;
  attempt_record_.Finish();
  if (guarded()) {
    if (guarded_->waiter() != 0) worker_.AwaitNoMore(guarded_->account(), guarded_->waiter());
    guarded_->End(whole);
  }
  if (cached()) {
    if (cached_->follower() != 0) worker_.FollowNoMore(cached_->follower());
    if (request_sent_) cached_->NoteLost();
    cached_->End();
  }
  request_record_.Finish(whole);
}

void Relay::Refuse(const http::Refusal& refusal) {
  worker_.shared().rejections.Count(refusal);
  connection_.Answer({.status = refusal.status,
                      .proxy_status_error = "http_request_error",
                      .rule = refusal.rule,
                      .detail = refusal.detail,
                      .close = true});
}

void Relay::Reject(metrics::Rejection rejection, std::string_view detail, std::string_view api) {
  worker_.shared().rejections.Count(rejection, api);
  Answer(Info(rejection), detail);
}

void Relay::Answer(const metrics::ReasonInfo& info, std::string_view detail) {
  connection_.Answer({.status = info.status,
                      .proxy_status_error = info.proxy_status,
                      .rule = info.label,
                      .detail = detail.empty() ? info.detail : detail,
                      .close = turned_away_});
}

}  // namespace apiquota::proxy
