#include "provider/source_parts.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/query.h"
#include "provider/json_tokens.h"
#include "provider/pointer_set.h"

namespace apiquota::provider {
namespace {

using nlohmann::json;

constexpr size_t kPartsMax = 64;
constexpr size_t kNumberedMax = 32;  // elements of a list

// The value behind "name=" among members separated by any of `separators`; a comment in parentheses behind it
// is none of it.
std::expected<std::string_view, PartError> ValueOf(std::string_view name, std::string_view text,
                                                   std::string_view separators) {
  if (text.find('=') == std::string_view::npos) return std::unexpected(PartError::kMalformed);
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    const std::string_view member = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos || !EqualsIgnoreCase(Trim(member.substr(0, equals)), name)) continue;
    const std::string_view value = member.substr(equals + 1);
    return Unquoted(Trim(value.substr(0, value.find('('))));
  }
  return std::unexpected(PartError::kAbsent);
}

// The same in "a=1&b=2", whose values are percent-encoded.
std::expected<std::string_view, PartError> ValueInQuery(std::string_view name, std::string_view text,
                                                        std::string* scratch) {
  const auto value = ValueOf(name, text, "&");
  if (!value) return value;
  *scratch = http::PercentDecoded(*value);
  return *scratch;
}

// Of a list whose elements are themselves "a=1, b=2; a=3, b=4" or "a=1;b=2, a=3;b=4": the separator met first
// stands between the names, the other one between the elements; unless the first element is empty.
char ElementSeparator(const FieldSource& source, std::string_view text) {
  const size_t first = text.find_first_of(",;");
  if ((source.field.empty() && source.item_with.empty()) || first == std::string_view::npos) return ',';
  if (Trim(text.substr(0, first)).empty()) return text[first];
  return text[first] == ',' ? ';' : ',';
}

bool Holds(std::string_view element, std::string_view member) {
  const size_t equals = member.find('=');
  const auto value = ValueOf(member.substr(0, equals), element, ",;");
  return value && EqualsIgnoreCase(*value, member.substr(equals + 1));
}

std::expected<std::string_view, PartError> Element(const FieldSource& source, std::string_view text) {
  const bool named = text.find('=') != std::string_view::npos;
  if (!source.item_with.empty() && !named) return std::unexpected(PartError::kMalformed);
  const char separator = ElementSeparator(source, text);
  for (size_t n = 1; n <= kNumberedMax; ++n) {
    const size_t end = std::min(text.find(separator), text.size());
    const std::string_view element = Trim(text.substr(0, end));
    if (n == source.item || (!source.item_with.empty() && Holds(element, source.item_with))) return element;
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  return std::unexpected(PartError::kAbsent);
}

// A scalar as text; nothing for null, lists and objects.
std::optional<std::string> Scalar(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return provider::json::WithoutExponent(value.dump());
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

// One step of a JSON pointer, taken off its front.
std::string_view TakeSegment(std::string_view* pointer) {
  pointer->remove_prefix(1);
  const std::string_view segment = pointer->substr(0, pointer->find('/'));
  pointer->remove_prefix(segment.size());
  return segment;
}

// "*": the key or index; "*=type": what the member "type" says.
std::optional<std::string> StarName(std::string_view segment, const std::string& key, const json& child) {
  if (segment == "*") return key;
  const auto member = child.is_object() ? child.find(UnescapedSegment(segment.substr(2))) : child.end();
  return child.is_object() && member != child.end() ? Scalar(*member) : std::nullopt;
}

void Walk(const json& value, std::string_view pointer, std::vector<std::string>* names,
          std::vector<NamedPart>* parts) {
  if (parts->size() >= kPartsMax) return;
  if (pointer.empty()) {
    if (auto text = Scalar(value)) parts->push_back({*names, std::move(*text)});
    return;
  }
  const std::string_view segment = TakeSegment(&pointer);
  if (!segment.starts_with('*')) {
    const json* child = nullptr;
    if (value.is_object()) {
      if (const auto found = value.find(UnescapedSegment(segment)); found != value.end()) child = &*found;
    } else if (const auto index = ParseDigits(segment); value.is_array() && index && *index < value.size()) {
      child = &value[*index];
    }
    if (child != nullptr) Walk(*child, pointer, names, parts);
    return;
  }
  if (!value.is_structured()) return;
  for (const auto& [key, child] : value.items()) {
    auto name = StarName(segment, key, child);
    if (!name) continue;
    names->push_back(std::move(*name));
    Walk(child, pointer, names, parts);
    names->pop_back();
  }
}

std::expected<std::vector<NamedPart>, PartError> InJson(const std::string& pointer, std::string_view text) {
  if (text.size() > kJsonHeaderBytesMax) return std::unexpected(PartError::kMalformed);
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_structured()) return std::unexpected(PartError::kMalformed);
  std::vector<NamedPart> parts;
  std::vector<std::string> names;
  Walk(document, pointer, &names, &parts);
  return parts;
}

// "20:1,100:120": the number, and the seconds of its window as its name.
std::expected<std::vector<NamedPart>, PartError> Counts(std::string_view text) {
  std::vector<NamedPart> parts;
  for (const std::string_view member : Split(text, ',')) {
    const size_t colon = member.find(':');
    const auto seconds =
        colon == std::string_view::npos ? std::nullopt : ParseDigits(Trim(member.substr(colon + 1)));
    if (!seconds || *seconds == 0 || parts.size() == kPartsMax) return std::unexpected(PartError::kMalformed);
    parts.push_back({{std::to_string(*seconds)}, std::string(Trim(member.substr(0, colon)))});
  }
  return parts;
}

// "60:transaction;error:organization:reason, 2700::key": the seconds for each category; none means all.
std::expected<std::vector<NamedPart>, PartError> SentryLimits(std::string_view text) {
  std::vector<NamedPart> parts;
  for (const std::string_view limit : Split(text, ',')) {
    const size_t colon = limit.find(':');
    if (colon == std::string_view::npos) return std::unexpected(PartError::kMalformed);
    const std::string_view seconds = Trim(limit.substr(0, colon));
    std::string_view categories = limit.substr(colon + 1);
    categories = categories.substr(0, categories.find(':'));
    for (const std::string_view category : Split(categories, ';')) {
      if (parts.size() == kPartsMax) return parts;
      const std::string_view name = Trim(category);
      parts.push_back({{std::string(name.empty() ? "all" : name)}, std::string(seconds)});
    }
  }
  return parts;
}

bool LetterOrDigit(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }
bool DigitAt(std::string_view text, size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// What stands behind the first `lead`, whatever its case.
std::optional<std::string_view> Behind(std::string_view lead, std::string_view text) {
  const auto same = [](char a, char b) { return AsciiLower(a) == AsciiLower(b); };
  const auto found = std::ranges::search(text, lead, same);
  if (found.empty()) return std::nullopt;
  return text.substr(static_cast<size_t>(found.end() - text.begin()));
}

// "55 seconds" as durations are written: the unit of the word behind a number; empty if it names none.
std::string_view UnitOf(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kUnits = {
      {{"ms", "ms"}, {"millisec", "ms"}, {"sec", "s"}, {"min", "m"}, {"hour", "h"}, {"day", "d"}}};
  word = Trim(word);
  for (const auto& [begin, unit] : kUnits) {
    if (StartsWithIgnoreCase(word, begin)) return unit;
  }
  return {};
}

// "12.01:02:03", days, hours, minutes and seconds, as durations are written: "12d01h02m03s".
std::string ClockAsDuration(const std::string& clock) {
  const std::vector<std::string_view> parts = Split(clock, ':');
  if (parts.size() != 3) return clock;
  const size_t point = parts[0].find('.');
  const std::string_view days = parts[0].substr(0, point == std::string_view::npos ? 0 : point);
  const std::string_view hours = parts[0].substr(days.empty() ? 0 : days.size() + 1);
  std::string duration = days.empty() ? "" : std::string(days) + "d";
  for (const auto& [part, unit] : {std::pair(hours, 'h'), std::pair(parts[1], 'm'), std::pair(parts[2], 's')})
    duration.append(part).push_back(unit);
  return duration;
}

// "Please try again in 6m0s." after "try again in ": the word there, without the mark that ends a sentence
// and without the commas that group the digits of a number; of a duration "5 minutes" is one word.
std::expected<std::string_view, PartError> ValueAfter(const FieldSource& source, std::string_view text,
                                                      std::string* scratch) {
  for (const std::string& lead : source.after) {
    const auto behind = Behind(lead, text);
    if (!behind) return std::unexpected(PartError::kAbsent);
    text = *behind;
  }
  text = Trim(text);
  scratch->clear();
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == ',' && at > 0 && DigitAt(text, at - 1) && DigitAt(text, at + 1)) continue;
    if (!LetterOrDigit(text[at]) && std::string_view(".:+-/").find(text[at]) == std::string_view::npos) break;
    scratch->push_back(text[at]);
  }
  while (!scratch->empty() && !LetterOrDigit(scratch->back())) scratch->pop_back();
  if (!DigitAt(*scratch, 0)) return std::unexpected(PartError::kAbsent);  // "in a few minutes"
  const bool duration = std::ranges::find(source.formats, Format::kDuration) != source.formats.end();
  if (duration && scratch->find_first_not_of("0123456789.") == std::string::npos)
    scratch->append(UnitOf(text.substr(at)));
  if (duration && scratch->find(':') != std::string::npos) *scratch = ClockAsDuration(*scratch);
  return *scratch;
}

}  // namespace

std::string_view Unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::expected<std::string_view, PartError> PickPart(const FieldSource& source, std::string_view text,
                                                    std::string* scratch) {
  if (!source.after.empty()) return ValueAfter(source, text, scratch);
  if (!source.pointer.empty()) {
    auto parts = InJson(source.pointer, text);
    if (!parts) return std::unexpected(parts.error());
    if (parts->empty()) return std::unexpected(PartError::kAbsent);
    *scratch = std::move(parts->front().text);
    return *scratch;
  }
  if (source.item > 0 || !source.item_with.empty()) {
    const auto element = Element(source, text);
    if (!element) return element;
    text = *element;
  }
  if (source.field.empty()) return text;
  const bool query = text.contains('&') && text.find_first_of(",;") == std::string_view::npos;
  return query ? ValueInQuery(source.field, text, scratch) : ValueOf(source.field, text, ",;");
}

std::expected<std::vector<NamedPart>, PartError> PickSeveral(const FieldSource& source,
                                                             std::string_view text) {
  if (text.size() > kJsonHeaderBytesMax) return std::unexpected(PartError::kMalformed);
  if (!source.pointer.empty()) return InJson(source.pointer, text);
  return source.formats.front() == Format::kCounts ? Counts(text) : SentryLimits(text);
}

std::expected<std::vector<std::string>, PartError> PickTexts(const FieldSource& source,
                                                             std::string_view text) {
  std::vector<std::string> texts;
  if (source.several && source.from == FieldSource::From::kHeader) {
    auto parts = PickSeveral(source, text);
    if (!parts) return std::unexpected(parts.error());
    for (NamedPart& part : *parts) texts.push_back(std::move(part.text));
  } else {
    std::string scratch;
    const auto part = PickPart(source, text, &scratch);
    if (!part) return std::unexpected(part.error());
    texts.emplace_back(*part);
  }
  std::erase_if(texts,
                [&](const std::string& t) { return !source.except.empty() && Trim(t) == source.except; });
  return texts;
}

}  // namespace apiquota::provider
