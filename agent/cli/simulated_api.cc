#include "cli/simulated_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace apiquota::cli {
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

}  // namespace

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
    return ToText(rule.scope) == wanted && rule.path.empty() && !SaysEvents(rule);
  };
  const auto scope = [](const ThrottleRule& rule) { return ToText(rule.scope); };
  auto rule = std::ranges::find_if(exporter_.throttles, anywhere);
  if (rule == exporter_.throttles.end()) rule = std::ranges::find(exporter_.throttles, wanted, scope);
  if (rule == exporter_.throttles.end() && !options_.throttle.empty()) {
    return Fail(fmt::format("--throttle {}: {} never refuses so", wanted, exporter_.info.name));
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
      return Fail(fmt::format("--quota {}: a duration such as 60s is expected after the /", text));
    }
    name = name.substr(0, slash);
  }
  std::optional<double> limit;
  if (const size_t equals = name.find('='); equals != std::string_view::npos) {
    limit = ParseDecimal(name.substr(equals + 1));
    if (!limit || *limit <= 0) {
      return Fail(fmt::format("--quota {}: a limit above 0 is expected after the =", text));
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
  return Fail(fmt::format("--quota {}: {} says no such quota", name, exporter_.info.name));
}

void SimulatedApi::AnnounceAll() {
  const auto announce = [&](bool stars) {
    for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
      const QuotaRule& rule = exporter_.quotas[r];
      const auto same = [&](const Announced& announced) { return announced.rule->quota == rule.quota; };
      // What is said below some path only is announced when it is named.
      if (!Announcable(rule) || !rule.when.path.empty() || std::ranges::any_of(announced_, same)) continue;
      if ((rule.quota.find('*') != std::string::npos) != stars) continue;
      Announce(r, NameForStar(exporter_, r), std::nullopt, std::nullopt);
      if (stars) return;
    }
  };
  announce(false);
  if (announced_.empty()) announce(true);
}

void SimulatedApi::Announce(size_t rule_index, std::string_view star, std::optional<double> limit,
                            std::optional<Micros> window) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  if (!limit) limit = KnownLimit(rule).value_or(options_.limit);
  if (!window) window = options_.window;
  if (!window) window = KnownWindow(rule, star, options_.resource).value_or(std::chrono::seconds(60));
  const double cost = QuotaUnit(rule, star) == "requests" ? 1 : options_.cost;
  announced_.push_back({&rule, std::string(star), cost, SimulatedQuota(rule.kind, *limit, *window)});
}

std::vector<SpokenQuota> SimulatedApi::Spoken(SystemTime now) const {
  std::vector<SpokenQuota> spoken;
  for (const Announced& announced : announced_) {
    const SimulatedQuota& quota = announced.quota;
    const double remaining = quota.Remaining(now);
    const bool share = ShareOf(*announced.rule, quota.limit()) != 1;
    // A provider that counts whole things has not got one until it is whole.
    spoken.push_back({.rule = announced.rule,
                      .star = announced.star,
                      .resource = options_.resource.empty() ? "default" : options_.resource,
                      .limit = quota.limit(),
                      .remaining = share ? remaining : std::floor(remaining),
                      .reset_at = quota.ResetAt(now),
                      .window = quota.window(),
                      .ietf = options_.ietf});
  }
  return spoken;
}

void SimulatedApi::SayState(SystemTime now, ReplyWriter* reply) const {
  for (const SpokenQuota& quota : Spoken(now)) SayQuota(quota, now, reply);
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
    wait = std::max(wait, announced.quota.WaitFor(announced.cost, now));
  }
  if (wait > Micros(0)) {
    ++stats.throttled;
    return Refuse(throttle_, wait, now);
  }
  for (Announced& announced : announced_) announced.quota.Take(announced.cost, now);
  ReplyWriter reply;
  SayState(now, &reply);
  response.fields = reply.Fields();
  response.event_stream = stream || options_.sse;
  if (response.event_stream) ++stats.streams;
  response.body = reply.Body({{"simulated", exporter_.info.name}, {"request", stats.requests}});
  return response;
}

SimulatedResponse SimulatedApi::Refuse(const ThrottleRule& rule, Micros wait, SystemTime now) const {
  ReplyWriter reply;
  SayState(now, &reply);
  const bool in_body = reply.body_said();
  SayRetryAfter(exporter_, wait, now, &reply);
  SayThrottle(rule, &reply);
  const Json error = {{"type", "rate_limit_error"}, {"message", "Rate limit reached; see the headers."}};
  Json more = Json::object();
  if (in_body || !reply.body_said()) more["error"] = error;
  return {.status = rule.statuses.front(),
          .fields = reply.Fields(),
          .body = reply.Body(more),
          .event_stream = SaysEvents(rule)};
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

}  // namespace apiquota::cli
