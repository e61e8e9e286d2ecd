#include "guard/own_limits_json.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace apiquota::guard {
namespace {

using Json = quota::SavedJson;
using quota::SavedMembers;
using quota::ToMicros;

constexpr size_t kHexDigits = 16;
constexpr double kAmountMax = 1e15;

std::string Hex(uint64_t number) {
  char digits[kHexDigits];
  const char* end = std::to_chars(digits, digits + kHexDigits, number, 16).ptr;
  return std::string(digits, static_cast<size_t>(end - digits));
}

std::optional<uint64_t> FromHex(const Json& json) {
  if (!json.is_string()) return std::nullopt;
  const auto& text = json.get_ref<const std::string&>();
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

std::optional<SystemTime> TimeFrom(const Json& json) {
  if (!json.is_number_integer()) return std::nullopt;
  const auto micros = json.get<int64_t>();
  if (!FromUnixSeconds(static_cast<double>(micros) / 1e6)) return std::nullopt;
  return SystemTime(Micros(micros));
}

std::optional<double> AmountFrom(const Json& json) {
  if (!json.is_number()) return std::nullopt;
  const double amount = json.get<double>();
  return amount >= 0 && amount <= kAmountMax ? std::optional(amount) : std::nullopt;
}

// [subject, used, at, [[at, amount], …]]
std::optional<SavedUse> UseFrom(const Json& json) {
  if (!json.is_array() || json.size() != 4 || !json[3].is_array()) return std::nullopt;
  const auto subject = FromHex(json[0]);
  const auto used = AmountFrom(json[1]);
  const auto at = TimeFrom(json[2]);
  if (!subject || !used || !at) return std::nullopt;
  SavedUse use{.subject = *subject, .used = *used, .at = *at, .sends = {}};
  for (const Json& send : json[3]) {
    const bool pair = send.is_array() && send.size() == 2;
    const auto sent_at = pair ? TimeFrom(send[0]) : std::nullopt;
    const auto amount = pair ? AmountFrom(send[1]) : std::nullopt;
    if (!sent_at || !amount || (!use.sends.empty() && use.sends.back().first > *sent_at)) return std::nullopt;
    use.sends.emplace_back(*sent_at, *amount);
  }
  return use;
}

uint64_t ReadHex(SavedMembers* members, const char* name) {
  const Json* json = members->Find(name, true);
  const auto number = json != nullptr ? FromHex(*json) : std::nullopt;
  if (!number) members->Fault(std::string(name) + " is no number in hex");
  return number.value_or(0);
}

SavedOwnLimit ReadLimit(SavedMembers* members) {
  SavedOwnLimit limit;
  limit.name = members->Text("name");
  limit.rule = ReadHex(members, "rule");
  limit.match = ReadHex(members, "match");
  const Json* uses = members->Find("uses", true);
  if (uses == nullptr || !uses->is_array()) {
    members->Fault("uses is not a list");
    return limit;
  }
  for (const Json& json : *uses) {
    auto use = UseFrom(json);
    if (!use) {
      members->Fault("uses are not lists of a subject, an amount, a time and sends");
      return limit;
    }
    limit.uses.push_back(std::move(*use));
  }
  return limit;
}

}  // namespace

Json ToJson(const SavedOwnLimits& saved) {
  Json limits = Json::array();
  for (const SavedOwnLimit& limit : saved.limits) {
    Json uses = Json::array();
    for (const SavedUse& use : limit.uses) {
      Json sends = Json::array();
      for (const auto& [at, amount] : use.sends) sends.push_back({ToMicros(at), amount});
      uses.push_back({Hex(use.subject), use.used, ToMicros(use.at), std::move(sends)});
    }
    limits.push_back({{"name", limit.name},
                      {"rule", Hex(limit.rule)},
                      {"match", Hex(limit.match)},
                      {"uses", std::move(uses)}});
  }
  return {{"key_first", Hex(saved.key.first)},
          {"key_second", Hex(saved.key.second)},
          {"limits", std::move(limits)}};
}

SavedOwnLimits ReadOwnLimits(SavedMembers* members) {
  SavedOwnLimits saved;
  saved.key = {ReadHex(members, "key_first"), ReadHex(members, "key_second")};
  const Json* limits = members->Find("limits", true);
  if (limits == nullptr || !limits->is_array()) {
    members->Fault("limits is not a list");
    return saved;
  }
  for (const Json& json : *limits) {
    SavedMembers each(json);
    saved.limits.push_back(ReadLimit(&each));
    if (const std::string error = each.Finish(); !error.empty()) {
      members->Fault("limits " + std::to_string(saved.limits.size()) + ": " + error);
      return saved;
    }
  }
  return saved;
}

}  // namespace apiquota::guard
