#include "expose/quotas_json.h"

#include "expose/json_values.h"

namespace apiquota::expose {
namespace {

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
               {"limit", JsonNumber(view.limit)},
               {"limit_assumed", view.limit_assumed},
               {"remaining", JsonNumber(view.remaining)},
               {"used", JsonNumber(view.used)},
               {"used_ratio", JsonNumber(view.used_ratio)}};
  PutTime("reset_at", view.reset_at, &json);
  json["resets_in_seconds"] = view.reset_at ? Json(ToSeconds(*view.reset_at - now)) : Json(nullptr);
  json["window_seconds"] = JsonNumber(view.window_seconds);
  json["policy"] = view.policy ? Json(*view.policy) : Json(nullptr);
  json["derived"] = DerivedNames(view);
  PutTime("observed_at", view.observed_at, &json);
  PutTime("exhaustion_at", view.exhaustion_at, &json);
  json["consumed_total"] = JsonNumber(view.consumed_total);
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
               {"interval_seconds", JsonNumber(poll.interval_seconds)}};
  PutTime("next_at", poll.next_at, &json);
  json["failures"] = poll.failures;
  json["last"] = poll.last ? LastPollJson(*poll.last) : Json(nullptr);
  PutTime("last_success_at", poll.last_success_at, &json);
  return json;
}

}  // namespace

std::string QuotasJson(const quota::Snapshot& snapshot) {
  Json json = Json::object();
  PutTime("at", snapshot.at, &json);
  json["dropped_total"] = snapshot.dropped_total;
  json["quotas"] = Json::array();
  for (const quota::QuotaView& view : snapshot.quotas) json["quotas"].push_back(QuotaJson(view, snapshot.at));
  return JsonText(json);
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
  return JsonText(Json{{"apis", std::move(list)}});
}

}  // namespace apiquota::expose
