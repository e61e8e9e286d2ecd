#include "cli/redact_body.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "cli/redact_text.h"
#include "provider/pointer_set.h"

namespace apiquota::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kElementsMax = 64;
constexpr size_t kDepthMax = 64;

bool IsOneOf(std::string_view key, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](auto word) { return EqualsIgnoreCase(key, word); });
}

// Errors are shown with their members, as far down as errors go.
bool SpeaksOfErrors(std::string_view key) {
  return IsOneOf(key, {"error", "errors", "fault", "detail", "details"});
}
bool NamesAKind(std::string_view key) {
  return IsOneOf(key, {"code", "type", "status", "reason", "error", "error_code", "error_type"});
}

Json UnreadNumber(const Json& value, std::string_view key) {
  constexpr double kCodeMax = 1e5;
  const auto number = value.get<double>();
  return NamesAKind(key) && std::fabs(number) < kCodeMax ? value : Json(0);
}

// What no rule reads: its kind alone.
Json Unread(const Json& value, std::string_view key, size_t depth) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return NamesAKind(key) && LooksLikeCode(text) ? text : std::string(kRedacted);
  }
  if (value.is_number()) return UnreadNumber(value, key);
  if (value.is_boolean()) return false;
  if (value.is_null()) return nullptr;
  constexpr size_t kErrorDepthMax = 6;
  const bool shown = SpeaksOfErrors(key) && depth < kErrorDepthMax;
  Json out = value.is_array() ? Json::array() : Json::object();
  if (!shown) return out;
  if (value.is_array() && !value.empty()) out.push_back(Unread(value.front(), key, depth + 1));
  if (!value.is_object()) return out;
  for (const auto& [name, member] : value.items()) {
    if (IsPlainName(name)) out[name] = Unread(member, name, depth + 1);
  }
  return out;
}

Json ReadScalar(const Json& value, const std::vector<Interest>& interests, std::string_view key,
                size_t depth) {
  if (value.is_boolean() || value.is_null()) return value;
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const std::string reduced = Reduced(text, interests);
  if (value.is_string()) return reduced == kRedacted ? Unread(value, key, depth) : Json(reduced);
  return reduced == text ? value : UnreadNumber(value, key);
}

}  // namespace

JsonRedactor::JsonRedactor(const std::map<std::string, std::vector<Interest>>& interests) {
  for (const auto& [pointer, wanted] : interests) {
    provider::PointerSet set({pointer});
    if (set.size() == 1) pointers_.push_back({set[0].tokens, wanted});
  }
}

JsonRedactor::Alive JsonRedactor::All() const {
  Alive alive;
  for (const Pointer& pointer : pointers_) alive.push_back(&pointer);
  return alive;
}

JsonRedactor::Alive JsonRedactor::Below(const Alive& alive, size_t depth, const std::string& key,
                                        bool* by_name) {
  Alive below;
  for (const Pointer* pointer : alive) {
    if (depth >= pointer->tokens.size()) continue;
    const std::string& token = pointer->tokens[depth];
    if (token != key && token != "*") continue;
    *by_name = *by_name || token == key;
    below.push_back(pointer);
  }
  return below;
}

std::vector<Interest> JsonRedactor::EndingAt(const Alive& alive, size_t depth) {
  std::vector<Interest> interests;
  for (const Pointer* pointer : alive) {
    if (pointer->tokens.size() != depth) continue;
    interests.insert(interests.end(), pointer->interests.begin(), pointer->interests.end());
  }
  return interests;
}

JsonRedactor::Json JsonRedactor::Walk(const Json& node, const Alive& alive, size_t depth) const {
  Json out = node.is_array() ? Json::array() : Json::object();
  size_t index = 0;
  for (const auto& [key, value] : node.items()) {
    if (node.is_array() && index == kElementsMax) break;
    bool by_name = node.is_array();
    const Alive below = Below(alive, depth, node.is_array() ? std::to_string(index) : key, &by_name);
    ++index;
    Json shown;
    if (below.empty() || depth == kDepthMax) {
      if (node.is_object() && !IsPlainName(key)) continue;
      shown = Unread(value, key, depth);
    } else if (value.is_structured()) {
      shown = Walk(value, below, depth + 1);
    } else {
      shown = ReadScalar(value, EndingAt(below, depth + 1), key, depth);
    }
    if (node.is_array()) {
      out.push_back(std::move(shown));
      continue;
    }
    // Keys that a "*" meets may be accounts: each of them gets a name of its own.
    std::string name = by_name ? key : WithoutIdentifiers(key, 4);
    for (size_t n = 2; out.contains(name); ++n) name = std::string(kRedacted) + "-" + std::to_string(n);
    out[name] = std::move(shown);
  }
  return out;
}

JsonRedactor::Json JsonRedactor::Redacted(const Json& document) const {
  return document.is_structured() ? Walk(document, All(), 0) : Unread(document, "", 0);
}

bool JsonRedactor::ReadsBelow(const Json& node, const Alive& alive, size_t depth) const {
  if (!node.is_structured()) return !EndingAt(alive, depth).empty();
  size_t index = 0;
  for (const auto& [key, value] : node.items()) {
    bool by_name = false;
    const Alive below = Below(alive, depth, node.is_array() ? std::to_string(index++) : key, &by_name);
    if (!below.empty() && ReadsBelow(value, below, depth + 1)) return true;
  }
  return false;
}

bool JsonRedactor::Reads(const Json& document) const { return ReadsBelow(document, All(), 0); }

std::string JsonRedactor::RedactedBody(std::string_view body) const {
  const auto parsed = [](std::string_view text) {
    return Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  };
  const auto written = [](const Json& json) {
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
  };
  if (const Json document = parsed(body); document.is_structured()) return written(Redacted(document)) + "\n";
  std::string out;
  std::string event;
  for (std::string_view line : Split(body, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("event:")) {
      event = LooksLikeCode(Trim(line.substr(6))) ? std::string(line) + "\n" : "";
      continue;
    }
    const bool data = line.starts_with("data:");
    const Json document = parsed(data ? line.substr(5) : line);
    if (!document.is_structured() || !Reads(document)) continue;
    out +=
        data ? event + "data: " + written(Redacted(document)) + "\n\n" : written(Redacted(document)) + "\n";
    event.clear();
  }
  return out;
}

}  // namespace apiquota::cli
