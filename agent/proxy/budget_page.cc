#include "proxy/budget_page.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "provider/rfc3339.h"

namespace apiquota::proxy {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kOwn = "/-";
constexpr std::string_view kBudget = "/-/budget";

std::string_view PathOf(std::string_view path_and_query) {
  return path_and_query.substr(0, path_and_query.find('?'));
}

// Whole amounts as people write them: 5000, not 5000.0.
Json Number(const std::optional<double>& value) {
  constexpr double kExact = 9007199254740992;
  if (!value) return nullptr;
  if (std::trunc(*value) == *value && std::fabs(*value) < kExact) return static_cast<int64_t>(*value);
  return *value;
}

void PutTime(const std::string& name, const std::optional<SystemTime>& time, Json* json) {
  (*json)[name] = time ? Json(ToUnixSeconds(*time)) : Json(nullptr);
  (*json)[name + "_time"] = time ? Json(provider::FormatRfc3339(*time)) : Json(nullptr);
}

Json Seconds(const std::optional<Micros>& span) { return span ? Number(ToSeconds(*span)) : Json(nullptr); }

Json QuotasJson(const quota::Snapshot& snapshot, std::string_view api, std::string_view key) {
  Json json = Json::array();
  for (const quota::QuotaView& view : snapshot.quotas) {
    if (view.id.api != api || view.id.key != key) continue;
    Json& each = json.emplace_back(Json{{"resource", view.id.resource},
                                        {"quota", view.id.quota},
                                        {"unit", view.id.unit},
                                        {"limit", Number(view.limit)},
                                        {"remaining", Number(view.remaining)},
                                        {"used_ratio", Number(view.used_ratio)}});
    PutTime("reset", view.reset_at, &each);
  }
  return json;
}

Json LimitsJson(const std::vector<guard::LimitStanding>& standings) {
  Json json = Json::array();
  for (const guard::LimitStanding& each : standings) {
    const bool tokens = each.unit == guard::LimitRule::Unit::kTokens;
    const bool used = each.reset > Micros(0);
    json.push_back({{"limit", each.name},
                    {"unit", tokens ? "tokens" : "requests"},
                    {"allowed", Number(each.limit)},
                    {"used", Number(each.limit - each.remaining)},
                    {"remaining", Number(each.remaining)},
                    {"window_seconds", Number(ToSeconds(each.window))},
                    {"resets_in_seconds", used ? Number(ToSeconds(each.reset)) : Json(nullptr)}});
  }
  return json;
}

// Its requests' key, as it is called: theirs is taken off them.
std::string KeyOf(const apis::RouteTable& routes, const apis::Route& route) {
  return route.injected != nullptr ? route.injected->name : routes.fingerprinter().Of({});
}

std::vector<guard::LimitStanding> StandingsOf(const BudgetSources& sources, const apis::Route& route,
                                              std::string_view caller, std::string_view key, SystemTime now) {
  const auto api = sources.guard != nullptr ? sources.guard->ApiFor(route.api) : nullptr;
  if (!api) return {};
  const http::Fields none;
  return api->StandingsOf(
      {.method = {}, .path = {}, .caller = caller, .key = key, .address = {}, .fields = &none}, now);
}

Json ApiJson(const apis::RouteTable& routes, const apis::Route& route, const apis::CallerOptions& caller,
             const quota::Snapshot& snapshot, const BudgetSources& sources, SystemTime now) {
  const std::string key = KeyOf(routes, route);
  const CallerWaits::View waits =
      sources.waits != nullptr ? sources.waits->Of(route.api, caller.name) : CallerWaits::View();
  return {{"api", route.api},
          {"quotas", QuotasJson(snapshot, route.api, key)},
          {"limits", LimitsJson(StandingsOf(sources, route, caller.name, key, now))},
          {"waits",
           {{"waiting", waits.waiting},
            {"oldest_seconds", Seconds(waits.oldest)},
            {"last_seconds", Seconds(waits.last)}}}};
}

}  // namespace

bool IsOwnPath(std::string_view path_and_query) {
  if (!path_and_query.starts_with(kOwn)) return false;
  const std::string_view rest = path_and_query.substr(kOwn.size());
  return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

bool IsBudgetPath(std::string_view path_and_query) { return PathOf(path_and_query) == kBudget; }

std::string BudgetJson(const apis::RouteTable& routes, const apis::CallerOptions& caller,
                       const quota::Snapshot& snapshot, const BudgetSources& sources, RunningTime now) {
  std::map<std::string_view, const apis::Route*> by_name;
  for (const auto& route : routes.routes()) {
    if (caller.MayUse(route->api)) by_name[route->api] = route.get();
  }
  Json json = Json::object();
  PutTime("at", now.at + now.system_ahead, &json);
  json["caller"] = caller.name;
  json["apis"] = Json::array();
  for (const auto& [name, route] : by_name) {
    Json api = ApiJson(routes, *route, caller, snapshot, sources, now.at);
    if (route->implied && api["quotas"].empty() && api["waits"]["last_seconds"].is_null()) continue;
    json["apis"].push_back(std::move(api));
  }
  // Names from answers may be no UTF-8; that must not cost the whole page.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const std::string& BudgetDesk::PageFor(const std::shared_ptr<const apis::RouteTable>& routes,
                                       const apis::CallerOptions& caller, RunningTime now) {
  const auto holds = [&](SystemTime since) { return now.at >= since && now.at - since < kPageTime; };
  if (routes_ != routes) {
    pages_.clear();
    routes_ = routes;
  }
  const auto found = pages_.find(caller.name);
  if (found != pages_.end() && holds(found->second.made_at)) return found->second.text;
  if (!snapshot_ || !holds(read_at_)) {
    snapshot_ = sources_.ledger != nullptr ? sources_.ledger->Read(now.at, now.system_ahead)
                                           : quota::Snapshot{now.at, {}, 0};
    read_at_ = now.at;
  }
  Page& page = pages_[caller.name];
  page = {now.at, BudgetJson(*routes, caller, *snapshot_, sources_, now)};
  return page.text;
}

}  // namespace apiquota::proxy
