#include "guard/persist.h"

#include <algorithm>

#include "guard/own_limits_json.h"
#include "quota/saved_text.h"

namespace apiquota::guard {
namespace {

using Json = quota::SavedJson;
using quota::SavedMembers;
using quota::ToMicros;

constexpr double kWindowMax = 400.0 * 86400 * 1e6;  // microseconds

Json ToJson(const SavedLimit& limit) {
  Json sends = Json::array();
  for (const auto& [at, cost] : limit.sends) sends.push_back({ToMicros(at), cost});
  return {{"resource", limit.resource},
          {"quota", limit.quota},
          {"unit", limit.unit},
          {"kind", ToText(limit.kind)},
          {"assumed", limit.kind_assumed ? 1 : 0},
          {"declared", limit.declared ? 1 : 0},
          {"limit", limit.limit},
          {"window", limit.window.count()},
          {"sends", std::move(sends)}};
}

Json ToJson(const SavedCooldown& cooldown) {
  return {{"resource", cooldown.resource},
          {"since", ToMicros(cooldown.since)},
          {"until", ToMicros(cooldown.until)},
          {"reason", ToText(cooldown.reason)},
          {"evidence", cooldown.evidence}};
}

void ReadSends(SavedMembers* members, SavedLimit* limit) {
  const Json* sends = members->Find("sends", true);
  if (sends == nullptr) return;
  if (!sends->is_array()) return members->Fault("sends is not a list");
  for (const Json& send : *sends) {
    const bool pair = send.is_array() && send.size() == 2 && send[0].is_number_integer() &&
                      send[1].is_number() && send[1].get<double>() >= 0 &&
                      FromUnixSeconds(static_cast<double>(send[0].get<int64_t>()) / 1e6).has_value();
    if (!pair) return members->Fault("sends are not pairs of a time and a cost");
    limit->sends.emplace_back(SystemTime(Micros(send[0].get<int64_t>())), send[1].get<double>());
  }
}

SavedLimit ReadLimit(SavedMembers* members) {
  SavedLimit limit;
  limit.resource = members->Text("resource");
  limit.quota = members->Text("quota");
  limit.unit = members->Text("unit");
  const std::string kind = members->Text("kind");
  bool known = false;
  for (const auto& [word, value] : provider::kQuotaKindWords) {
    if (word == kind) limit.kind = value, known = true;
  }
  if (!known) members->Fault("kind is unknown");
  limit.kind_assumed = members->Number("assumed").value_or(0) != 0;
  limit.declared = members->Number("declared").value_or(0) != 0;
  limit.limit = members->Number("limit").value_or(-1);
  const double window = members->Number("window").value_or(0);
  if (limit.limit < 0) members->Fault("limit is no limit");
  if (!(window >= 1 && window <= kWindowMax)) members->Fault("window is not a length of time");
  limit.window = Micros(static_cast<int64_t>(window));
  ReadSends(members, &limit);
  return limit;
}

SavedCooldown ReadCooldown(SavedMembers* members) {
  SavedCooldown cooldown;
  cooldown.resource = members->Text("resource");
  cooldown.since = members->Time("since", true).value_or(SystemTime{});
  cooldown.until = members->Time("until", true).value_or(SystemTime{});
  const std::string reason = members->Text("reason");
  if (reason == ToText(Reason::kRetryAfter)) cooldown.reason = Reason::kRetryAfter;
  if (reason != ToText(Reason::kRetryAfter) && reason != ToText(Reason::kCooldown))
    members->Fault("reason is unknown");
  cooldown.evidence = members->Text("evidence");
  return cooldown;
}

// Each of a list's members by `read`; the first mistake is the whole's.
template <class Value, class Read>
void ReadList(SavedMembers* members, const char* name, const Read& read, std::vector<Value>* out) {
  const Json* list = members->Find(name, true);
  if (list == nullptr) return;
  if (!list->is_array()) return members->Fault(std::string(name) + " is not a list");
  for (const Json& json : *list) {
    SavedMembers each(json);
    out->push_back(read(&each));
    if (const std::string error = each.Finish(); !error.empty()) {
      return members->Fault(std::string(name) + " " + std::to_string(out->size()) + ": " + error);
    }
  }
}

SavedKey ReadKey(SavedMembers* members) {
  SavedKey key;
  key.api = members->Text("api");
  key.key = members->Text("key");
  ReadList(members, "limits", ReadLimit, &key.limits);
  ReadList(members, "cooldowns", ReadCooldown, &key.cooldowns);
  return key;
}

SavedOwnLimits ReadLimitsOf(SavedMembers* members, const char* name) {
  const Json* json = members->Find(name, true);
  if (json == nullptr) return {};
  SavedMembers limits(*json);
  SavedOwnLimits saved = ReadOwnLimits(&limits);
  if (const std::string error = limits.Finish(); !error.empty())
    members->Fault(std::string(name) + ": " + error);
  return saved;
}

SavedApi ReadApi(SavedMembers* members) {
  SavedApi api;
  api.api = members->Text("api");
  api.limits = ReadLimitsOf(members, "limits");
  api.judged = ReadLimitsOf(members, "judged");
  return api;
}

}  // namespace

void Move(Micros by, SavedGuard* saved) {
  for (SavedApi& api : saved->apis) {
    Move(by, &api.limits);
    Move(by, &api.judged);
  }
  for (SavedKey& key : saved->keys) {
    for (SavedLimit& limit : key.limits) {
      for (auto& [at, cost] : limit.sends) at += by;
    }
    for (SavedCooldown& cooldown : key.cooldowns) cooldown.since += by, cooldown.until += by;
  }
}

void NotLaterThan(SystemTime now, SavedGuard* saved) {
  for (SavedKey& key : saved->keys) {
    for (SavedLimit& limit : key.limits) {
      double later = 0;
      while (!limit.sends.empty() && limit.sends.back().first >= now) {
        later += limit.sends.back().second;
        limit.sends.pop_back();
      }
      if (later > 0) limit.sends.emplace_back(now, later);
    }
    for (SavedCooldown& cooldown : key.cooldowns) {
      const Micros early = std::max(Micros(0), Micros(cooldown.since - now));
      cooldown.since -= early, cooldown.until -= early;
    }
  }
}

std::string WriteSaved(const SavedGuard& saved) {
  Json list = Json::array();
  for (const SavedKey& key : saved.keys) {
    Json json = {{"api", key.api}, {"key", key.key}, {"limits", Json::array()}, {"cooldowns", Json::array()}};
    for (const SavedLimit& limit : key.limits) json["limits"].push_back(ToJson(limit));
    for (const SavedCooldown& cooldown : key.cooldowns) json["cooldowns"].push_back(ToJson(cooldown));
    list.push_back(std::move(json));
  }
  Json apis = Json::array();
  for (const SavedApi& api : saved.apis)
    apis.push_back({{"api", api.api}, {"limits", ToJson(api.limits)}, {"judged", ToJson(api.judged)}});
  const Json whole = {{"keys", std::move(list)}, {"apis", std::move(apis)}};
  // Without spaces: of many full limits it must stay below what is read of a file (app/files.cc).
  return quota::Framed(whole.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<SavedGuard> ReadSaved(std::string_view text) {
  constexpr std::string_view kWhat = "the guard's saved figures";
  const Result<std::string_view> unframed = quota::Unframed(text, kWhat);
  if (!unframed) return std::unexpected(unframed.error());
  const std::string damaged = std::string(kWhat) + " are damaged";
  if (unframed->size() == text.size()) return Fail(damaged);  // before all of it is taken apart
  const Json document = Json::parse(*unframed, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return Fail(damaged);
  SavedGuard saved;
  SavedMembers whole(document);
  ReadList(&whole, "keys", ReadKey, &saved.keys);
  if (whole.Has("apis")) ReadList(&whole, "apis", ReadApi, &saved.apis);
  if (const std::string error = whole.Finish(); !error.empty())
    return Fail(std::string(kWhat) + ": " + error);
  return saved;
}

}  // namespace apiquota::guard
