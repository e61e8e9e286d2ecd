#include "expose/guard_api_json.h"

#include <algorithm>
#include <string>

namespace apiquota::expose {
namespace {

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string_view Word(guard::LimitRule::Unit unit) {
  return unit == guard::LimitRule::Unit::kTokens ? "tokens" : "requests";
}

std::string_view Word(guard::LimitRule::Algorithm algorithm) {
  switch (algorithm) {
    case guard::LimitRule::Algorithm::kFixed:
      return "fixed";
    case guard::LimitRule::Algorithm::kSliding:
      return "sliding";
    case guard::LimitRule::Algorithm::kGcra:
      return "gcra";
  }
  return "fixed";
}

// As the configuration says it: a word, or {"header": NAME}.
Json ByJson(const guard::LimitRule& rule) {
  using Kind = guard::LimitSubject::Kind;
  Json by = Json::array();
  for (const guard::LimitSubject& part : rule.by) {
    if (part.kind == Kind::kHeader) by.push_back({{"header", part.header}});
    if (part.kind == Kind::kCaller) by.push_back("caller");
    if (part.kind == Kind::kKey) by.push_back("key");
    if (part.kind == Kind::kAddress) by.push_back("address");
  }
  return by;
}

Json MatchJson(const guard::LimitMatch& match) {
  if (match == guard::LimitMatch()) return nullptr;
  Json headers = Json::object();
  for (const auto& [name, value] : match.headers) headers[name] = value;
  return {{"path", TextOrNull(match.path)},
          {"methods", Json(match.methods)},
          {"callers", Json(match.callers)},
          {"headers", std::move(headers)}};
}

Json UsesJson(const std::vector<guard::LimitUse>& uses, SystemTime now) {
  Json json = Json::array();
  for (const guard::LimitUse& use : uses) {
    Json& each = json.emplace_back(Json{{"caller", TextOrNull(use.caller)},
                                        {"key", TextOrNull(use.key)},
                                        {"address", TextOrNull(use.address)},
                                        {"digest", TextOrNull(use.digest)},
                                        {"used", JsonNumber(use.used)},
                                        {"allowed", JsonNumber(use.allowed)}});
    PutTime("reset", use.reset, &each);
    each["resets_in_seconds"] = JsonNumber(std::max(0.0, ToSeconds(use.reset - now)));
  }
  return json;
}

std::string_view StateOf(const guard::BreakerView& breaker, SystemTime now) {
  if (!breaker.open) return "closed";
  return breaker.until > now ? "open" : "half_open";
}

}  // namespace

Json BreakerJson(const std::optional<guard::BreakerView>& breaker, SystemTime now) {
  if (!breaker) return nullptr;
  const bool waits = breaker->open && breaker->until > now;
  Json json = {{"state", StateOf(*breaker, now)}};
  PutTime("opened_at", breaker->opened_at, &json);
  PutTime("next_probe_at", waits ? std::optional(breaker->until) : std::nullopt, &json);
  json["next_probe_in_seconds"] = waits ? JsonNumber(ToSeconds(breaker->until - now)) : Json(nullptr);
  json["probes"] = breaker->probes;
  json["trips"] = breaker->trips;
  return json;
}

Json OwnLimitsJson(const std::vector<guard::LimitRuleView>& limits, SystemTime now) {
  Json json = Json::array();
  for (const guard::LimitRuleView& limit : limits) {
    const guard::LimitRule& rule = limit.rule;
    const bool gcra = rule.algorithm == guard::LimitRule::Algorithm::kGcra;
    json.push_back({{"limit", rule.name},
                    {"mode", limit.judged ? "shadow" : "on"},
                    {"place", limit.place},
                    {"by", ByJson(rule)},
                    {"match", MatchJson(rule.match)},
                    {"unit", Word(rule.unit)},
                    {"algorithm", Word(rule.algorithm)},
                    {"allowed", rule.limit},
                    {"window_seconds", JsonNumber(ToSeconds(rule.window))},
                    {"burst", gcra ? Json(rule.burst) : Json(nullptr)},
                    {"missing", rule.missing == guard::LimitRule::Missing::kAllow ? "allow" : "refuse"},
                    {"subjects", limit.memory.subjects},
                    {"bytes", limit.memory.bytes},
                    {"evicted", limit.memory.evicted},
                    {"uses", UsesJson(limit.uses, now)}});
  }
  return json;
}

Json CacheJson(const std::optional<CacheFacts>& cache) {
  if (!cache) return nullptr;
  const cache::CacheView& view = cache->view;
  Json json = {{"bytes", view.bytes},     {"capacity", view.bytes_max}, {"answers", view.answers},
               {"evicted", view.evicted}, {"leading", view.groups},     {"following", view.followers}};
  json["orphans"] = view.orphans;
  json["orphans_given_up"] = view.orphans_given_up;
  PutTime("served_stale_at", view.served_stale_at, &json);
  json["requests"] = cache->requests.empty() ? Json::object() : Json(cache->requests);
  json["saved"] = cache->saved.empty() ? Json::object() : Json(cache->saved);
  return json;
}

Json RoutesJson(const std::vector<guard::RouteCalls>& routes) {
  Json json = Json::array();
  for (const guard::RouteCalls& each : routes) {
    json.push_back({{"route", each.route},
                    {"calls", each.calls},
                    {"identical", each.identical},
                    {"batchable", each.batchable}});
  }
  return json;
}

Json RefusalJson(const std::optional<guard::ApiRefusal>& refused) {
  if (!refused) return nullptr;
  const guard::Refusal& refusal = refused->refusal;
  Json json = Json::object();
  PutTime("at", refused->at, &json);
  json["rule"] = ToText(refusal.reason);
  json["status"] = refusal.status;
  json["limit"] = refusal.reason == guard::Reason::kLimit
                      ? Json{{"name", refusal.quota},
                             {"limit", JsonNumber(refusal.limit)},
                             {"window_seconds", JsonNumber(refusal.window_seconds)}}
                      : Json(nullptr);
  json["lacks"] = TextOrNull(refusal.lacks);
  json["caller"] = TextOrNull(refused->caller);
  json["key"] = TextOrNull(refused->key);
  const bool never = refusal.never_fits || !refusal.lacks.empty();
  PutTime("could_go", never ? std::nullopt : std::optional(refusal.until), &json);
  json["wait_seconds"] = never ? Json(nullptr) : JsonNumber(ToSeconds(refusal.until - refused->at));
  return json;
}

}  // namespace apiquota::expose
