#include "expose/guard_api_json.h"

#include <algorithm>
#include <string>

namespace apiquota::expose {
namespace {

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string_view Word(guard::LimitRule::Unit unit) {
  return unit == guard::LimitRule::Unit::kTokens ? "tokens" : "requests";
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

Json OwnLimitsJson(const std::vector<guard::LimitUse>& limits, SystemTime now) {
  Json json = Json::array();
  for (const guard::LimitUse& use : limits) {
    Json& each = json.emplace_back(Json{{"limit", use.limit},
                                        {"unit", Word(use.unit)},
                                        {"caller", TextOrNull(use.caller)},
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

Json LimitMemoryJson(const std::vector<guard::LimitMemory>& memory) {
  Json json = Json::array();
  for (const guard::LimitMemory& each : memory) {
    json.push_back({{"limit", each.limit},
                    {"subjects", each.subjects},
                    {"bytes", each.bytes},
                    {"evicted", each.evicted}});
  }
  return json;
}

Json CacheJson(const std::optional<CacheFacts>& cache) {
  if (!cache) return nullptr;
  const cache::CacheView& view = cache->view;
  Json json = {{"bytes", view.bytes},     {"capacity", view.bytes_max}, {"answers", view.answers},
               {"evicted", view.evicted}, {"leading", view.groups},     {"following", view.followers}};
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
