#include "simulate/simulated_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace apiquota::simulate {
namespace {

using provider::QuotaRule;
using provider::ThrottleRule;
using provider::ThrottleScope;
using Json = nlohmann::ordered_json;

EnforcerOptions Enforced(const SimulateOptions& options, const std::vector<Announced>& announced) {
  EnforcerOptions enforced{.limits = {},
                           .scope = options.scope,
                           .count_refused = options.count_refused,
                           .penalty = options.penalty};
  for (const Announced& one : announced) enforced.limits.push_back(one.limit);
  return enforced;
}

std::string ErrorBody(std::string_view message) {
  return fmt::format("{}\n", Json{{"error", {{"message", message}}}}.dump());
}

}  // namespace

std::string EventText(std::string_view json) {
  if (json.ends_with('\n')) json.remove_suffix(1);
  return fmt::format("data: {}\n\n", json);
}

SimulatedApi::SimulatedApi(const SimulateOptions& options, const provider::Exporter& exporter,
                           std::vector<Announced> announced, Faults faults)
    : options_(options),
      exporter_(exporter),
      announced_(std::move(announced)),
      enforcer_(Enforced(options_, announced_)),
      faults_(std::move(faults)) {}

Result<SimulatedApi> SimulatedApi::Create(const SimulateOptions& options,
                                          const provider::Exporter& exporter) {
  Result<std::vector<Announced>> announced = Announce(options, exporter);
  if (!announced) return std::unexpected(announced.error());
  Result<Faults> faults = Faults::Create(options.failures, options.bare_429);
  if (!faults) return std::unexpected(faults.error());
  SimulatedApi api(options, exporter, std::move(*announced), std::move(*faults));
  if (Status status = api.ChooseThrottles(); !status) return std::unexpected(status.error());
  return api;
}

// Rules for some paths or for streams are for those who ask there.
const ThrottleRule* SimulatedApi::RuleFor(std::string_view wanted) const {
  const ThrottleRule* found = nullptr;
  for (const ThrottleRule& rule : exporter_.throttles) {
    if (ToText(rule.scope) != wanted) continue;
    if (rule.path.empty() && !IsSaidInEvents(rule)) return &rule;
    if (found == nullptr) found = &rule;
  }
  return found;
}

// The scope that was asked for; else the first primary one; else the first there is.
Status SimulatedApi::ChooseThrottles() {
  throttle_ = {.statuses = {429}, .path = "", .conditions = {}, .scope = ThrottleScope::kPrimary};
  const bool any = options_.throttle.empty();
  if (const ThrottleRule* rule = RuleFor(any ? "primary" : std::string_view(options_.throttle))) {
    throttle_ = *rule;
  } else if (!any) {
    return Fail(fmt::format("--throttle: {} never refuses so", exporter_.info.name));
  } else if (!exporter_.throttles.empty()) {
    throttle_ = exporter_.throttles.front();
  }
  const ThrottleRule* slots = any ? RuleFor("concurrency") : nullptr;
  slots_throttle_ = slots != nullptr ? *slots : throttle_;
  return {};
}

Call SimulatedApi::CallOf(const SimulatedRequest& request) const {
  Call call{.key = request.key, .address = request.address, .cost = {.other = options_.cost}};
  if (request.tokens) {
    call.cost.input_tokens = request.tokens->input;
    call.cost.output_tokens = request.tokens->output_asked;
  }
  return call;
}

LimitState SimulatedApi::StateOf(size_t limit, const Call& call, SystemTime now) const {
  LimitState state = enforcer_.State(limit, call, Theirs(now));
  state.reset_at -= options_.manner.skew;
  return state;
}

// A quota may be told in several ways: in every response, and in those that other rules of its name speak of.
std::vector<SpokenQuota> SimulatedApi::Spoken(const SimulatedRequest& request, int status,
                                              SystemTime now) const {
  std::vector<SpokenQuota> spoken;
  if (options_.manner.headerless) return spoken;
  const Call call = CallOf(request);
  for (size_t i = 0; i < announced_.size(); ++i) {
    const Announced& announced = announced_[i];
    const LimitState state = StateOf(i, call, now);
    const double least = std::min(1.0, CostIn(announced.limit.unit, call.cost));
    for (const QuotaRule& rule : exporter_.quotas) {
      const bool other_way = rule.quota == announced.rule->quota && !Always(rule.when);
      if ((&rule != announced.rule && !other_way) || !CanBeSaid(rule) ||
          !Applies(rule.when, request.path, status)) {
        continue;
      }
      if (SaysExhaustion(rule) && state.remaining >= least) continue;
      // A provider that counts whole things has not got one until it is whole.
      const double remaining =
          ShareOf(rule, state.limit) != 1 ? state.remaining : std::floor(state.remaining);
      spoken.push_back({.rule = &rule,
                        .star = announced.star,
                        .resource = options_.resource.empty() ? "default" : options_.resource,
                        .limit = state.limit,
                        .remaining = ToldRemaining(options_.manner, remaining),
                        .reset_at = state.reset_at,
                        .window = state.window,
                        .ietf = options_.ietf,
                        .manner = options_.manner});
    }
  }
  return spoken;
}

void SimulatedApi::SayState(const SimulatedRequest& request, int status, SystemTime now,
                            ReplyWriter* reply) const {
  for (const SpokenQuota& quota : Spoken(request, status, now)) {
    SayWhen(quota.rule->when, reply);
    SayQuota(quota, now, reply);
  }
  if (options_.resource.empty() || options_.manner.headerless) return;
  for (const provider::ResourceRule& rule : exporter_.resources) {
    if (rule.from == provider::ResourceRule::From::kHeader)
      return reply->SetHeader(rule.name, options_.resource);
    if (rule.from == provider::ResourceRule::From::kResponseBody) {
      return reply->SetBody(rule.name, options_.resource);
    }
  }
}

SimulatedResponse SimulatedApi::Answer(const SimulatedRequest& request, SystemTime now) {
  ++stats.requests;
  if (!request.path.starts_with(options_.path)) {
    ++stats.not_found;
    return {.status = 404, .fields = {}, .body = ErrorBody("Not found.")};
  }
  if (const auto status = faults_.Next()) return Fault(*status);
  const Verdict verdict = enforcer_.Ask(CallOf(request), Theirs(now));
  if (verdict.admitted()) return Serve(request, verdict.id, now);
  ++stats.throttled;
  const bool slots = verdict.limit && announced_[*verdict.limit].limit.kind == LimitKind::kConcurrency;
  return Refuse(slots ? slots_throttle_ : throttle_, request, ToldWait(verdict, request, now), now);
}

SimulatedResponse SimulatedApi::Fault(int status) const {
  return {.status = status,
          .fields = {},
          .body = ErrorBody(status == 429 ? "Too many requests." : "The server had an error.")};
}

// What costs more than there can ever be is told to come back when all of it is there, as APIs do.
std::optional<Micros> SimulatedApi::ToldWait(const Verdict& verdict, const SimulatedRequest& request,
                                             SystemTime now) const {
  if (options_.retry_after) return options_.retry_after;
  if (!verdict.never_fits) return verdict.wait;
  return std::max(StateOf(*verdict.limit, CallOf(request), now).reset_at - now, Micros(1));
}

provider::TokenUsage SimulatedApi::UsageOf(const SimulatedRequest& request) const {
  if (!request.tokens) return kExampleUsage;
  provider::TokenUsage usage{};
  usage[static_cast<size_t>(provider::TokenType::kInput)] = static_cast<uint64_t>(request.tokens->input);
  usage[static_cast<size_t>(provider::TokenType::kOutput)] = static_cast<uint64_t>(request.tokens->output);
  return usage;
}

SimulatedResponse SimulatedApi::Serve(const SimulatedRequest& request, uint64_t call, SystemTime now) {
  SimulatedResponse response;
  ReplyWriter reply;
  ReplyWriter last;
  SayState(request, 200, now, &reply);
  response.event_stream = request.stream || options_.sse;
  SayUsage(exporter_, UsageOf(request), response.event_stream ? &last : &reply);
  response.fields = reply.Fields();
  if (response.event_stream) ++stats.streams;
  response.body = reply.Body({{"simulated", exporter_.info.name}, {"request", stats.requests}});
  if (last.body_said()) response.last_event = last.Body(Json::object());
  response.call = call;
  response.cost = CallOf(request).cost;
  if (request.tokens) response.cost.output_tokens = request.tokens->output;
  return response;
}

void SimulatedApi::End(const SimulatedResponse& response, double share, SystemTime now) {
  CallCost cost = response.cost;
  cost.output_tokens = std::floor(cost.output_tokens * share);
  enforcer_.End(response.call, cost, Theirs(now));
}

SimulatedResponse SimulatedApi::Refuse(const ThrottleRule& rule, const SimulatedRequest& request,
                                       std::optional<Micros> wait, SystemTime now) const {
  ReplyWriter reply;
  ReplyWriter event;
  SayState(request, rule.statuses.front(), now, &reply);
  const bool in_body = reply.body_said();
  const bool headerless = options_.manner.headerless;
  if (wait && !headerless) {
    SayRetryAfter(exporter_, rule, *wait, options_.manner.skew, now, &reply, &event);
  }
  SayThrottle(rule, &reply, &event);
  SimulatedResponse response{.status = rule.statuses.front(),
                             .fields = headerless ? http::Fields() : reply.Fields(),
                             .body = "",
                             .event_stream = IsSaidInEvents(rule)};
  Json more = Json::object();
  if (response.event_stream) {
    response.last_event = event.Body(more);
    more["simulated"] = exporter_.info.name;
  } else if (in_body || !reply.body_said()) {
    more["error"] = {{"type", "rate_limit_error"}, {"message", "Rate limit reached; see the headers."}};
  }
  response.body = reply.Body(more);
  return response;
}

std::string SimulatedApi::StatsJson(SystemTime now) const {
  Json quotas = Json::array();
  for (size_t i = 0; i < announced_.size(); ++i) {
    const LimitState state = StateOf(i, {}, now);
    quotas.push_back({{"quota", announced_[i].limit.name},
                      {"limit", state.limit},
                      {"remaining", state.remaining},
                      {"reset_at", ToUnixSeconds(state.reset_at)}});
  }
  return fmt::format("{}\n", Json{{"requests", stats.requests},
                                  {"throttled", stats.throttled},
                                  {"not_found", stats.not_found},
                                  {"completed", stats.completed},
                                  {"cancelled", stats.cancelled},
                                  {"streams", stats.streams},
                                  {"active", stats.active},
                                  {"quotas", quotas}}
                                 .dump());
}

std::string SimulatedApi::TruthJson(SystemTime until) const { return TruthByTheirs(Theirs(until)); }

std::string SimulatedApi::TruthByTheirs(SystemTime until) const {
  Truth truth = enforcer_.TruthAt(until);
  truth.totals.failed = faults_.failed();
  truth.totals.bare_429s = faults_.bare_429s();
  return ToJson(truth);
}

std::string SimulatedApi::TruthJsonAfter(Micros span) const {
  return TruthByTheirs(enforcer_.first_call().value_or(SystemTime()) + span);
}

}  // namespace apiquota::simulate
