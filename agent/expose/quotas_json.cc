#include "expose/quotas_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "provider/rfc3339.h"

namespace apiquota::expose {
namespace {

using Json = nlohmann::ordered_json;

// Whole amounts as people write them: 5000, not 5000.0.
Json Number(double value) {
  const bool whole = value == std::floor(value) && std::fabs(value) < 9007199254740992.0;
  return whole ? Json(static_cast<int64_t>(value)) : Json(value);
}

Json Number(const std::optional<double>& value) { return value ? Number(*value) : Json(nullptr); }

void PutTime(const std::string& name, const std::optional<SystemTime>& time, Json* json) {
  (*json)[name] = time ? Json(ToUnixSeconds(*time)) : Json(nullptr);
  (*json)[name + "_time"] = time ? Json(provider::FormatRfc3339(*time)) : Json(nullptr);
}

Json DerivedNames(const quota::QuotaView& view) {
  Json names = Json::array();
  for (const provider::SignalField field : view.derived) names.push_back(ToText(field));
  return names;
}

Json QuotaJson(const quota::QuotaView& view, SystemTime now) {
  Json json = {{"api", view.id.api},
               {"key", view.id.key},
               {"resource", view.id.resource},
               {"quota", view.id.quota},
               {"unit", view.id.unit},
               {"exporter", view.exporter},
               {"kind", ToText(view.kind)},
               {"source", view.declared ? "declared" : "said"},
               {"valid", view.valid},
               {"limit", Number(view.limit)},
               {"limit_assumed", view.limit_assumed},
               {"remaining", Number(view.remaining)},
               {"used", Number(view.used)},
               {"used_ratio", Number(view.used_ratio)}};
  PutTime("reset_at", view.reset_at, &json);
  json["resets_in_seconds"] = view.reset_at ? Json(ToSeconds(*view.reset_at - now)) : Json(nullptr);
  json["window_seconds"] = Number(view.window_seconds);
  json["policy"] = view.policy ? Json(*view.policy) : Json(nullptr);
  json["derived"] = DerivedNames(view);
  PutTime("observed_at", view.observed_at, &json);
  PutTime("exhaustion_at", view.exhaustion_at, &json);
  json["consumed_total"] = Number(view.consumed_total);
  json["windows_exhausted_total"] = view.windows_exhausted_total;
  json["limit_changes_total"] = view.limit_changes_total;
  return json;
}

Json LastPollJson(const PollFacts::Last& last) {
  Json json = Json::object();
  PutTime("at", last.at, &json);
  json["duration_seconds"] = last.duration_seconds;
  json["success"] = last.success;
  json["result"] = last.result;
  json["status"] = last.status != 0 ? Json(last.status) : Json(nullptr);
  json["reason"] = last.reason.empty() ? Json(nullptr) : Json(last.reason);
  return json;
}

Json PollJson(const PollFacts& poll) {
  Json json = {{"key", poll.key},
               {"method", poll.method},
               {"path", poll.path},
               {"interval_seconds", Number(poll.interval_seconds)}};
  PutTime("next_at", poll.next_at, &json);
  json["failures"] = poll.failures;
  json["last"] = poll.last ? LastPollJson(*poll.last) : Json(nullptr);
  PutTime("last_success_at", poll.last_success_at, &json);
  return json;
}

// Names from requests may be no UTF-8; that must not cost the whole answer.
std::string Text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string QuotasJson(const quota::Snapshot& snapshot) {
  Json json = Json::object();
  PutTime("at", snapshot.at, &json);
  json["dropped_total"] = snapshot.dropped_total;
  json["quotas"] = Json::array();
  for (const quota::QuotaView& view : snapshot.quotas) json["quotas"].push_back(QuotaJson(view, snapshot.at));
  return Text(json);
}

std::string ApisJson(const std::vector<ApiFacts>& apis, const std::vector<PollFacts>& polls) {
  Json list = Json::array();
  for (const ApiFacts& api : apis) {
    list.push_back({{"name", api.name},
                    {"exporter", api.exporter},
                    {"base_url", api.base_url},
                    {"route", api.route},
                    {"keys", api.keys},
                    {"labels", api.labels},
                    {"unread_limit_headers", api.unread_limit_headers},
                    {"polls", Json::array()}});
    for (const PollFacts& poll : polls) {
      if (poll.api == api.name) list.back()["polls"].push_back(PollJson(poll));
    }
  }
  return Text(Json{{"apis", std::move(list)}});
}

}  // namespace apiquota::expose
