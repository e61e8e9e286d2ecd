#include "proxy/guarded_request.h"

#include <algorithm>
#include <utility>

#include "apis/guarded.h"
#include "base/log.h"
#include "base/text.h"
#include "guard/retry.h"
#include "guard/route_of.h"
#include "provider/may_throttle.h"
#include "provider/request_resource.h"
#include "proxy/guard_fields.h"
#include "proxy/idempotency_key.h"
#include "proxy/limit_fields.h"
#include "proxy/retry_causes.h"

namespace apiquota::proxy {
namespace {

bool Decides(const guard::Options& options) {
  const auto on = [&](const guard::Part& part) { return options.ModeOf(part) == guard::Mode::kOn; };
  const bool written = options.ModeOf(options.concurrency) == guard::Mode::kOn ||
                       options.ModeOf(options.breaker) == guard::Mode::kOn ||
                       options.ModeOf(options.cache) == guard::Mode::kOn ||
                       std::ranges::any_of(options.limits, on);
  return written || on(options.pace) || on(options.queue) || on(options.retry) || on(options.cooldown);
}

}  // namespace

GuardedRequest::GuardedRequest(guard::Guard& guard, const Clock& clock, KeptBytes& kept, CallerWaits& waits,
                               RequestRecord& record, net::TimerHandler& timer, uint32_t home)
    : guard_(guard), clock_(clock), waits_(waits), record_(record), home_(home), timer_(timer), body_(kept) {}

void GuardedRequest::Begin(const http::RequestHead& head, std::string upstream_head,
                           std::string websocket_accept) {
  End(false);
  const apis::Route& route = record_.route();
  phase_ = Phase::kReading;
  decides_ = Decides(route.guard);
  repeatable_ = Repeatable(head) || GetsIdempotencyKey(route.guard, head, record_.exchange().path);
  account_ = record_.account();
  api_guard_ = record_.api_guard();
  began_at_ = now();
  attempts_ = 1;
  upstream_head_ = std::move(upstream_head);
  websocket_accept_ = std::move(websocket_accept);
  refusal_.reset();
  api_turn_.standings.clear();
  ForgetAnswer();
  waited_ = longest_wait_ = Micros(0);
  wait_reason_ = guard::Reason::kNone;
  wait_quota_.clear();
  body_.Begin(
      {.bytes_max = route.guard.retry.replay_bytes_max, .together_max = route.guard.retry.replay_memory_max});
  if (RetriedByClient(head.fields)) route.metrics->guard().CountClientRetry(record_.caller_name());
}

void GuardedRequest::ForgetAnswer() {
  understood_ = declined_ = false;
  throttle_.reset();
  retry_after_seconds_.reset();
  cost_.reset();
}

// What can't be known before the body has been looked at.
void GuardedRequest::LookAtBody(const http::RequestHead& head, bool ended) {
  const apis::Route& route = record_.route();
  record_.TakeBodyValues();
  const http::Exchange& exchange = record_.exchange();
  const auto named = provider::RequestResource(*route.exporter, exchange);
  const provider::ResourceNaming naming = Info(*route.exporter).resource_naming;
  resource_ = named.value_or("");
  const bool remembered = naming == provider::ResourceNaming::kAnswer;
  route_ = remembered ? guard::RouteOf(exchange.method, exchange.path) : std::string();
  const std::optional<Micros> timeout = ClientTimeoutOf(head.fields, options().queue);
  const bool asks = remembered || timeout || Info(*route.exporter).charge;
  const guard::TokenModel model = asks ? guard_.ModelOf(account_, resource_, route_) : guard::TokenModel();
  if (model.blind || (naming == provider::ResourceNaming::kRequest && !named))
    route.metrics->guard().CountBlind();
  EstimateTokens(model, ended);
  deadline_ = guard::DeadlineFor(timeout, options().queue, model.median_first_byte, began_at_);
}

void GuardedRequest::EstimateTokens(const guard::TokenModel& model, bool ended) {
  tokens_ = {};
  const auto& charge = Info(*record_.route().exporter).charge;
  if (!charge) return;
  const provider::RequestFacts facts =
      provider::FactsOf(*charge, record_.exchange().request_body, record_.body_size(), ended);
  const provider::TokenEstimate estimate =
      provider::Estimate(*charge, facts, model.tokens_per_byte, model.output.value_or(0));
  tokens_ = {.cost = apis::CostOf(*charge, estimate),
             .capped = estimate.capped,
             .charged_at_start = charge->when != provider::ChargeTime::kEnd,
             .text_bytes = static_cast<double>(facts.size.text_bytes)};
}

guard::Request GuardedRequest::AsRequest(const http::RequestHead& head) {
  const bool by_key = options().queue.by == guard::QueueOptions::By::kKey;
  const std::string_view caller = by_key ? std::string_view() : record_.caller_name();
  return {.resource = resource_,
          .route = route_,
          .flow = caller.empty() ? record_.key_label() : caller,
          .urgency = UrgencyOf(head.fields, options().queue, record_.caller_priority()),
          .tokens = tokens_.cost,
          .capped = tokens_.capped,
          .charged_at_start = tokens_.charged_at_start,
          .text_bytes = tokens_.text_bytes,
          .deadline = deadline_,
          .not_before = {},
          .home = home_};
}

RefusalAnswer GuardedRequest::Refuse() {
  const apis::Route& route = record_.route();
  const std::string rule(ToText(refusal_->reason));
  LogFolded(LogLevel::kInfo, "guard", route.api + "/" + rule,
            {{"decision", "reject"},
             {"api", route.api},
             {"rule", rule},
             {"quota", refusal_->quota},
             {"wait", refusal_->lacks.empty() ? std::to_string(RetryAfterOf(*refusal_, now())) : "never"}});
  RefusalAnswer answer =
      AnswerOf(*refusal_, route.api, *route.exporter, now(), api_turn_.standings, clock_.SystemNow());
  if (waited_ > Micros(0))
    answer.head.fields.Add("apiquota-delay", DelayText(waited_, wait_reason_, wait_quota_));
  api_turn_.permit.Release(now());
  if (AccessFacts* access = record_.access()) {
    access->decision = "reject";
    access->rule = ToText(refusal_->reason);
  }
  return answer;
}

void GuardedRequest::Sent() {
  if (ticket_) ticket_.Sent(now());
  api_turn_.permit.Sent();
  if (options().ModeOf(options().retry) != guard::Mode::kOn) body_.LetGo();
}

bool GuardedRequest::Holds(int status) const {
  if (!decides_ || status < 400 || options().ModeOf(options().retry) != guard::Mode::kOn) return false;
  const auto cause = CauseOfAnswer(status, nullptr);
  const bool transient = cause == guard::RetryCause::kTransient;
  return (cause && (!transient || repeatable_)) || provider::MayThrottle(*record_.route().exporter, status);
}

std::optional<guard::RetryCause> GuardedRequest::CauseOf(int status) const {
  return CauseOfAnswer(status, throttle_ ? &*throttle_ : nullptr);
}

std::optional<GuardedRequest::Step> GuardedRequest::AskAgain(const http::RequestHead& head, int status) {
  const auto cause = CauseOf(status);
  return cause ? Repeat(head, *cause) : std::nullopt;
}

std::optional<GuardedRequest::Step> GuardedRequest::AskAgain(const http::RequestHead& head,
                                                             metrics::UpstreamError error) {
  if (held_.active()) return AskAgain(head, held_.head().status);
  const auto cause = CauseOfFailure(error);
  return cause ? Repeat(head, *cause) : std::nullopt;
}

// Whatever its head said, where one has come.
void GuardedRequest::Failed(metrics::UpstreamError error) { api_turn_.permit.Failed(HealthOf(error), now()); }

std::optional<GuardedRequest::Step> GuardedRequest::Repeat(const http::RequestHead& head,
                                                           guard::RetryCause cause) {
  if (!decides_ || options().ModeOf(options().retry) != guard::Mode::kOn) return std::nullopt;
  const SystemTime at = now();
  const guard::RetryVerdict verdict = guard_.AskRetry(account_,
                                                      {.cause = cause,
                                                       .attempts = attempts_,
                                                       .repeatable = repeatable_,
                                                       .body_kept = body_.whole(),
                                                       .retry_after_seconds = retry_after_seconds_,
                                                       .deadline = deadline_},
                                                      at);
  record_.route().metrics->guard().CountRetry(cause, verdict.kind);
  if (verdict.kind != guard::RetryVerdict::Kind::kRetry) return std::nullopt;
  ticket_.Release(at);
  const Step step = AskGuard(head, at, verdict.not_before, true);
  if (step == Step::kRefuse) return std::nullopt;
  ++attempts_;
  ForgetAnswer();
  return step;
}

void GuardedRequest::OnSignals(const http::Exchange& exchange, const provider::Signals& signals) {
  const SystemTime at = now();
  understood_ = true;
  declined_ = exchange.status >= 400;
  throttle_ = signals.throttle;
  retry_after_seconds_ = signals.retry_after_seconds;
  if (signals.usage) cost_ = apis::CostOf(Info(*record_.route().exporter), *signals.usage);
  if (ticket_) ticket_.Answered(apis::AnswerOf(exchange, signals), at);
  api_turn_.permit.Answered(HealthOf(exchange.status, throttle_ ? &*throttle_ : nullptr), at);
}

// Its head has been told of. What the events said of quotas is news, too.
void GuardedRequest::OnStreamSignals(const http::Exchange& exchange, const provider::Signals& signals) {
  if (signals.usage) cost_ = apis::CostOf(Info(*record_.route().exporter), *signals.usage);
  if (signals.readings.empty() && !signals.throttle) return;
  if (ticket_) ticket_.Answered(apis::AnswerOf(exchange, signals), now());
}

bool GuardedRequest::Explains(int status) const {
  return waited_ > Micros(0) || (attempts_ > 1 && status >= 400) || !api_turn_.standings.empty();
}

const http::ResponseHead& GuardedRequest::Explain(const http::ResponseHead& head) {
  explained_ = head;
  http::Fields& fields = explained_.fields;
  if (waited_ > Micros(0)) fields.Add("apiquota-delay", DelayText(waited_, wait_reason_, wait_quota_));
  if (!api_turn_.standings.empty()) AddLimitFields(api_turn_.standings, clock_.SystemNow(), &fields);
  const bool in_vain = attempts_ > 1 && CauseOf(head.status);
  if (in_vain && !fields.Find("x-should-retry")) fields.Add("x-should-retry", "false");
  return explained_;
}

void GuardedRequest::Tell(AccessFacts* access) const {
  access->waited = waited_;
  if (auto tightest = TightestOf(api_turn_.standings)) access->tightest = std::move(tightest);
  if (!decides_ || phase_ == Phase::kReading || !access->decision.empty()) return;
  const bool waits = waited_ > Micros(0) || phase_ == Phase::kWaiting;
  access->decision = waits ? "delay" : "allow";
  if (wait_reason_ != guard::Reason::kNone) access->rule = ToText(wait_reason_);
}

// What it took of limits in tokens, if anybody knows: what was said; and of an error that says nothing,
// nothing.
std::optional<double> GuardedRequest::TokensOf(bool whole) const {
  if (cost_) return cost_->counted;
  return whole && declined_ ? std::optional(0.0) : std::nullopt;
}

void GuardedRequest::GiveBack(bool whole) {
  const SystemTime at = now();
  if (ticket_ && whole) ticket_.Settle(cost_, at);
  if (ticket_) ticket_.Release(at);
  if (whole || cost_) api_turn_.permit.Settle(TokensOf(whole), at, whole);
  api_turn_.permit.Release(at);
}

void GuardedRequest::End(bool whole) {
  if (phase_ == Phase::kIdle) return;
  if (AccessFacts* access = record_.access(); access != nullptr && record_.active()) Tell(access);
  timer_.Disarm();
  if (waiter_ != 0) guard_.Leave(account_, std::exchange(waiter_, 0), now());
  wait_ = {};
  GiveBack(whole);
  body_.Clear();
  held_.Clear();
  account_.reset();
  api_guard_.reset();
  phase_ = Phase::kIdle;
}

}  // namespace apiquota::proxy
