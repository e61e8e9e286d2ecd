#include "quota/persist.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "quota/saved_text.h"

namespace apiquota::quota {
namespace {

using Json = SavedJson;
using provider::QuotaKind;

constexpr unsigned kAllFields = (2U << static_cast<unsigned>(provider::SignalField::kBody)) - 1;

template <class T>
void Put(const char* name, const std::optional<T>& value, Json* json) {
  if (value) (*json)[name] = *value;
}

void PutTime(const char* name, const std::optional<SystemTime>& value, Json* json) {
  if (value) (*json)[name] = ToMicros(*value);
}

Json ToJson(const SavedQuota& quota) {
  const Held& held = quota.held;
  Json json = {{"api", quota.id.api},
               {"key", quota.id.key},
               {"resource", quota.id.resource},
               {"quota", quota.id.quota},
               {"unit", quota.id.unit},
               {"exporter", quota.exporter},
               {"kind", ToText(quota.kind)},
               {"derived", held.derived.bits()},
               {"received_at", ToMicros(held.said.received_at)},
               {"since", ToMicros(held.since)},
               {"level_at", ToMicros(held.level.received_at)}};
  if (quota.learned) json["learned_kind"] = ToText(*quota.learned);
  Put("family", quota.family, &json);
  Put("limit", held.limit, &json);
  Put("remaining", held.remaining, &json);
  Put("used", held.used, &json);
  Put("window_seconds", held.window_seconds, &json);
  PutTime("reset_at", held.reset_at, &json);
  if (held.end) {
    json["end_at"] = ToMicros(held.end->at);
    json["end_absolute"] = held.end->absolute;
  }
  Put("policy", held.policy, &json);
  return json;
}

Json ToJson(const SavedCount& count) {
  Json parts = Json::array();
  for (const auto& [part, requests] : count.parts) parts.push_back({part, requests});
  return {{"api", count.api},
          {"key", count.key},
          {"quota", count.quota},
          {"window", count.window.count()},
          {"since", ToMicros(count.since)},
          {"parts", std::move(parts)}};
}

QuotaKind ReadKind(const char* name, SavedMembers* members) {
  const std::string text = members->Text(name);
  for (const auto& [word, kind] : provider::kQuotaKindWords) {
    if (word == text) return kind;
  }
  members->Fault(std::string(name) + " is unknown");
  return QuotaKind::kFixed;
}

// What the first of version 2 did not save.
void ReadWhatWasSeen(SavedMembers* members, SavedQuota* quota) {
  if (members->Has("learned_kind")) quota->learned = ReadKind("learned_kind", members);
  const double family = members->Number("family").value_or(-1);
  if (family >= 0 && family <= 65'535) quota->family = static_cast<uint16_t>(family);
}

Held ReadHeld(SavedMembers* members) {
  Held held;
  const auto derived = members->Number("derived");
  if (derived && *derived >= 0 && *derived <= kAllFields) {
    held.derived = provider::SignalFields::FromBits(static_cast<uint16_t>(*derived));
  } else {
    members->Fault("derived is not a set of fields");
  }
  held.said.received_at = members->Time("received_at", true).value_or(SystemTime{});
  held.since = members->Time("since", true).value_or(SystemTime{});
  held.level.received_at = members->Time("level_at", true).value_or(SystemTime{});
  members->Find("date", false);  // saved by version 1 and the first of version 2: no longer needed
  held.limit = members->Number("limit");
  held.remaining = members->Number("remaining");
  held.used = members->Number("used");
  held.window_seconds = members->Number("window_seconds");
  if (held.window_seconds && !(*held.window_seconds > 0 && *held.window_seconds <= ToSeconds(kPlausible))) {
    members->Fault("window_seconds is out of range");
  }
  held.reset_at = members->Time("reset_at", false);
  if (const auto end = members->Time("end_at", false)) {
    const Json* absolute = members->Find("end_absolute", true);
    if (absolute != nullptr && !absolute->is_boolean()) members->Fault("end_absolute is not true or false");
    held.end = WindowEnd{*end, absolute != nullptr && absolute->is_boolean() && absolute->get<bool>()};
  }
  if (held.end.has_value() != held.reset_at.has_value())
    members->Fault("end_at and reset_at belong together");
  if (const Json* policy = members->Find("policy", false)) {
    if (policy->is_string()) held.policy = policy->get<std::string>();
    if (!policy->is_string()) members->Fault("policy is not a text");
  }
  return held;
}

SavedCount ReadCount(SavedMembers* members) {
  SavedCount count;
  count.api = members->Text("api");
  count.key = members->Text("key");
  count.quota = members->Text("quota");
  const auto window = members->Number("window");
  if (window && *window >= 1 && *window <= 1e15) {
    count.window = Micros(static_cast<int64_t>(*window));
  } else {
    members->Fault("window is not a length of time");
  }
  count.since = members->Time("since", true).value_or(SystemTime{});
  const Json* parts = members->Find("parts", true);
  if (parts == nullptr) return count;
  for (const Json& part : *parts) {
    const bool pair = part.is_array() && part.size() == 2 && part[0].is_number_unsigned() &&
                      part[1].is_number_unsigned() && part[1] <= 1'000'000'000'000;
    if (!pair) {
      members->Fault("parts are not pairs of counts");
      break;
    }
    count.parts.emplace_back(part[0].get<int64_t>(), part[1].get<uint64_t>());
  }
  return count;
}

}  // namespace

void Move(Micros by, Saved* saved) {
  for (SavedQuota& quota : saved->quotas) {
    Held& held = quota.held;
    for (SystemTime* at : {&held.said.received_at, &held.level.received_at, &held.since}) *at += by;
    if (held.reset_at) *held.reset_at += by;
    if (held.end && !held.end->absolute) held.end->at += by;
  }
  for (SavedCount& count : saved->counts) {
    count.since += by;
    // Whole sub-windows, towards the later ones: never too low.
    const Micros part = count.window / SlidingCount::kParts;
    const int64_t parts = by / part + (by % part > Micros(0) ? 1 : 0);
    for (auto& [number, requests] : count.parts) number += parts;
  }
}

std::string WriteSaved(const Saved& saved) {
  Json list = Json::array();
  for (const SavedQuota& quota : saved.quotas) list.push_back(ToJson(quota));
  Json document = {{"quotas", std::move(list)}};
  if (!saved.counts.empty()) document["counts"] = Json::array();
  for (const SavedCount& count : saved.counts) document["counts"].push_back(ToJson(count));
  // A name that is not UTF-8 must not cost the whole file.
  return Framed(document.dump(1, ' ', false, Json::error_handler_t::replace));
}

Result<Saved> ReadSaved(std::string_view text) {
  const Result<std::string_view> unframed = Unframed(text, "the saved readings");
  if (!unframed) return std::unexpected(unframed.error());
  const bool checked = unframed->size() != text.size();
  const Json document = Json::parse(*unframed, nullptr, false);
  if (document.is_discarded()) return Fail("the saved readings are not JSON");
  if (!document.is_object() || !document.contains("quotas")) return Fail("the saved readings have no quotas");
  if (!checked && (!document.contains("version") || document["version"] != 1))
    return Fail("the saved readings are damaged, or of another version than 1 and 2");
  if (!document["quotas"].is_array()) return Fail("the saved readings' quotas are not a list");
  Saved saved;
  for (const Json& json : document["quotas"]) {
    SavedMembers members(json);
    SavedQuota quota;
    quota.id = {members.Text("api"), members.Text("key"), members.Text("resource"), members.Text("quota"),
                members.Text("unit")};
    quota.exporter = members.Text("exporter");
    quota.kind = ReadKind("kind", &members);
    ReadWhatWasSeen(&members, &quota);
    quota.held = ReadHeld(&members);
    if (const std::string error = members.Finish(); !error.empty()) {
      return Fail("saved reading " + std::to_string(saved.quotas.size() + 1) + ": " + error);
    }
    saved.quotas.push_back(std::move(quota));
  }
  if (const auto counts = document.find("counts"); counts != document.end()) {
    if (!counts->is_array()) return Fail("the saved counts are not a list");
    for (const Json& json : *counts) {
      SavedMembers members(json);
      saved.counts.push_back(ReadCount(&members));
      if (const std::string error = members.Finish(); !error.empty()) {
        return Fail("saved count " + std::to_string(saved.counts.size()) + ": " + error);
      }
    }
  }
  return saved;
}

}  // namespace apiquota::quota
