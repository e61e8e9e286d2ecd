#include "simulate/simulated_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace apiquota::simulate {
namespace {

using provider::QuotaRule;
using provider::ThrottleRule;
using provider::ThrottleScope;
using Json = nlohmann::ordered_json;

// What stands for the '*' of `pattern` in `name`; nothing if it does not match.
std::optional<std::string_view> MatchStar(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos)
    return name == pattern ? std::optional(std::string_view()) : std::nullopt;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) {
    return std::nullopt;
  }
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

bool Always(const provider::When& when) {
  return when.statuses.empty() && when.path.empty() && when.headers.empty();
}

}  // namespace

std::string EventText(std::string_view json) {
  if (json.ends_with('\n')) json.remove_suffix(1);
  return fmt::format("data: {}\n\n", json);
}

Result<SimulatedApi> SimulatedApi::Create(const SimulateOptions& options,
                                          const provider::Exporter& exporter) {
  SimulatedApi api(options, exporter);
  for (const std::string& text : options.quotas) {
    if (Status status = api.AnnounceFromOption(text); !status) return std::unexpected(status.error());
  }
  if (options.quotas.empty()) api.AnnounceAll();
  if (Status status = api.ChooseThrottle(); !status) return std::unexpected(status.error());
  return api;
}

// The scope that was asked for; else the first primary one; else the first there is.
Status SimulatedApi::ChooseThrottle() {
  throttle_ = {.statuses = {429}, .path = "", .conditions = {}, .scope = ThrottleScope::kPrimary};
  if (exporter_.throttles.empty() && options_.throttle.empty()) return {};
  const std::string_view wanted = options_.throttle.empty() ? "primary" : std::string_view(options_.throttle);
  // Rules for some paths or for streams are for those who ask there.
  const auto anywhere = [&](const ThrottleRule& rule) {
    return ToText(rule.scope) == wanted && rule.path.empty() && !IsSaidInEvents(rule);
  };
  const auto scope = [](const ThrottleRule& rule) { return ToText(rule.scope); };
  auto rule = std::ranges::find_if(exporter_.throttles, anywhere);
  if (rule == exporter_.throttles.end()) rule = std::ranges::find(exporter_.throttles, wanted, scope);
  if (rule == exporter_.throttles.end() && !options_.throttle.empty()) {
    return Fail(fmt::format("--throttle: {} never refuses so", exporter_.info.name));
  }
  throttle_ = rule == exporter_.throttles.end() ? exporter_.throttles.front() : *rule;
  return {};
}

Status SimulatedApi::AnnounceFromOption(std::string_view text) {
  std::string_view name = text;
  std::optional<Micros> window;
  if (const size_t slash = name.rfind('/'); slash != std::string_view::npos) {
    window = ParseDuration(name.substr(slash + 1));
    if (!window || *window <= Micros(0)) {
      return Fail("--quota: a duration such as 60s is expected after the /");
    }
    name = name.substr(0, slash);
  }
  std::optional<double> limit;
  if (const size_t equals = name.find('='); equals != std::string_view::npos) {
    limit = ParseDecimal(name.substr(equals + 1));
    if (!limit || *limit <= 0) {
      return Fail("--quota: a limit above 0 is expected after the =");
    }
    name = name.substr(0, equals);
  }
  return AnnounceNamed(name, limit, window);
}

bool SimulatedApi::Announcable(const QuotaRule& rule) const {
  return CanBeSaid(rule) && (!options_.ietf || SpeaksIetf(rule));
}

Status SimulatedApi::AnnounceNamed(std::string_view name, std::optional<double> limit,
                                   std::optional<Micros> window) {
  for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
    const std::optional<std::string_view> star = MatchStar(exporter_.quotas[r].quota, name);
    if (!star || !Announcable(exporter_.quotas[r])) continue;
    Announce(r, star->empty() ? NameForStar(exporter_, r) : *star, limit, window);
    return {};
  }
  return Fail(fmt::format("--quota: {} says no quota of this name", exporter_.info.name));
}

void SimulatedApi::AnnounceAll() {
  const auto announce = [&](bool stars, bool always) {
    for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
      const QuotaRule& rule = exporter_.quotas[r];
      const auto same = [&](const Announced& announced) { return announced.rule->quota == rule.quota; };
      if (!Announcable(rule) || std::ranges::any_of(announced_, same)) continue;
      if ((rule.quota.find('*') != std::string::npos) != stars || Always(rule.when) != always) continue;
      Announce(r, NameForStar(exporter_, r), std::nullopt, std::nullopt);
      if (stars) return;
    }
  };
  announce(false, true);
  // What is told in some responses only is announced when it is named, or if there is nothing else.
  if (announced_.empty()) announce(false, false);
  if (announced_.empty()) announce(true, true);
  if (announced_.empty()) announce(true, false);
}

void SimulatedApi::Announce(size_t rule_index, std::string_view star, std::optional<double> limit,
                            std::optional<Micros> window) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  // Where equal numbers mean one and the same quota, each needs a limit of its own.
  const double factor = exporter_.merge_equal ? static_cast<double>(announced_.size() + 1) : 1;
  if (!limit) limit = KnownLimit(rule).value_or(options_.limit * factor);
  if (!window) window = options_.window;
  if (!window) window = KnownWindow(rule, star, options_.resource).value_or(std::chrono::seconds(60));
  const double cost = QuotaUnit(rule, star) == "requests" ? 1 : options_.cost;
  announced_.push_back({&rule, std::string(star), cost, SimulatedQuota(rule.kind, *limit, *window)});
}

// What is limited at one time comes back when the call ends, and here one call follows the other.
bool SimulatedApi::Counts(const Announced& announced) {
  return announced.rule->kind != provider::QuotaKind::kConcurrency;
}

// A quota may be told in several ways: in every response, and in those that other rules of its name speak of.
std::vector<SpokenQuota> SimulatedApi::Spoken(std::string_view path, int status, SystemTime now) const {
  std::vector<SpokenQuota> spoken;
  for (const Announced& announced : announced_) {
    const SimulatedQuota& quota = announced.quota;
    for (const QuotaRule& rule : exporter_.quotas) {
      const bool other_way = rule.quota == announced.rule->quota && !Always(rule.when);
      if ((&rule != announced.rule && !other_way) || !CanBeSaid(rule) || !Applies(rule.when, path, status))
        continue;
      const double remaining =
          Counts(announced) ? quota.Remaining(now) : std::max(0.0, quota.limit() - announced.cost);
      if (SaysExhaustion(rule) && remaining >= announced.cost) continue;
      // A provider that counts whole things has not got one until it is whole.
      spoken.push_back({.rule = &rule,
                        .star = announced.star,
                        .resource = options_.resource.empty() ? "default" : options_.resource,
                        .limit = quota.limit(),
                        .remaining = ShareOf(rule, quota.limit()) != 1 ? remaining : std::floor(remaining),
                        .reset_at = quota.ResetAt(now),
                        .window = quota.window(),
                        .ietf = options_.ietf});
    }
  }
  return spoken;
}

void SimulatedApi::SayState(std::string_view path, int status, SystemTime now, ReplyWriter* reply) const {
  for (const SpokenQuota& quota : Spoken(path, status, now)) {
    SayWhen(quota.rule->when, reply);
    SayQuota(quota, now, reply);
  }
  if (options_.resource.empty()) return;
  for (const provider::ResourceRule& rule : exporter_.resources) {
    if (rule.from == provider::ResourceRule::From::kHeader)
      return reply->SetHeader(rule.name, options_.resource);
    if (rule.from == provider::ResourceRule::From::kResponseBody) {
      return reply->SetBody(rule.name, options_.resource);
    }
  }
}

SimulatedResponse SimulatedApi::Answer(std::string_view path, bool stream, SystemTime now) {
  ++stats.requests;
  SimulatedResponse response;
  if (!path.starts_with(options_.path)) {
    ++stats.not_found;
    response.status = 404;
    response.body = fmt::format("{}\n", Json{{"error", {{"message", "Not found."}}}}.dump());
    return response;
  }
  Micros wait(0);
  for (const Announced& announced : announced_) {
    if (Counts(announced)) wait = std::max(wait, announced.quota.WaitFor(announced.cost, now));
  }
  if (wait > Micros(0)) {
    ++stats.throttled;
    return Refuse(throttle_, path, wait, now);
  }
  for (Announced& announced : announced_) {
    if (Counts(announced)) announced.quota.Take(announced.cost, now);
  }
  ReplyWriter reply;
  ReplyWriter last;
  SayState(path, 200, now, &reply);
  response.event_stream = stream || options_.sse;
  SayUsage(exporter_, response.event_stream ? &last : &reply);
  response.fields = reply.Fields();
  if (response.event_stream) ++stats.streams;
  response.body = reply.Body({{"simulated", exporter_.info.name}, {"request", stats.requests}});
  if (last.body_said()) response.last_event = last.Body(Json::object());
  return response;
}

SimulatedResponse SimulatedApi::Refuse(const ThrottleRule& rule, std::string_view path, Micros wait,
                                       SystemTime now) const {
  ReplyWriter reply;
  ReplyWriter event;
  SayState(path, rule.statuses.front(), now, &reply);
  const bool in_body = reply.body_said();
  SayRetryAfter(exporter_, rule, wait, now, &reply, &event);
  SayThrottle(rule, &reply, &event);
  SimulatedResponse response{.status = rule.statuses.front(),
                             .fields = reply.Fields(),
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
  for (const Announced& announced : announced_) {
    quotas.push_back({{"quota", QuotaName(*announced.rule, announced.star)},
                      {"limit", announced.quota.limit()},
                      {"remaining", announced.quota.Remaining(now)},
                      {"reset_at", ToUnixSeconds(announced.quota.ResetAt(now))}});
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

}  // namespace apiquota::simulate
