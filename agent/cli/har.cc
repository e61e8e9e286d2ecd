#include "cli/har.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "provider/rfc3339.h"

namespace apiquota::cli {
namespace {

using Json = nlohmann::json;

const Json& At(const Json& json, const char* name) {
  static const Json kNothing;
  if (!json.is_object()) return kNothing;
  const auto found = json.find(name);
  return found == json.end() ? kNothing : *found;
}

std::string Text(const Json& json, const char* name) {
  const Json& value = At(json, name);
  return value.is_string() ? value.get<std::string>() : "";
}

double Number(const Json& json, const char* name) {
  const Json& value = At(json, name);
  return value.is_number() ? value.get<double>() : 0;
}

// Names of HTTP/2's own fields begin with a colon. A line break would be a second field.
http::Fields FieldsOf(const Json& headers) {
  http::Fields fields;
  if (!headers.is_array()) return fields;
  for (const Json& header : headers) {
    const std::string name = Text(header, "name");
    if (name.empty() || name.front() == ':') continue;
    const std::string text = Text(header, "value");
    for (const std::string_view line : Split(text, '\n')) fields.Add(name, Trim(line));
  }
  return fields;
}

int ValueOfBase64(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

// RFC 4648 section 4; what is no letter of it is passed over.
std::string FromBase64(std::string_view text) {
  std::string bytes;
  unsigned held = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = ValueOfBase64(c);
    if (value < 0) continue;
    held = (held << 6 | static_cast<unsigned>(value)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xff);
  }
  return bytes;
}

std::string BodyOf(const Json& content) {
  const std::string text = Text(content, "text");
  return EqualsIgnoreCase(Text(content, "encoding"), "base64") ? FromBase64(text) : text;
}

std::optional<SystemTime> EndOf(const Json& entry) {
  constexpr double kDayMillis = 86'400'000;
  const auto began = provider::ParseRfc3339(Text(entry, "startedDateTime"));
  const double millis = Number(entry, "time");
  if (!began || !(millis >= 0) || millis > kDayMillis) return began;
  return *began + Micros(static_cast<int64_t>(millis * 1000));
}

PrintedExchange ToExchange(const Json& entry) {
  const Json& request = At(entry, "request");
  const Json& response = At(entry, "response");
  PrintedExchange exchange;
  exchange.method = Text(request, "method");
  SetTarget(Text(request, "url"), &exchange);
  exchange.request_fields = FieldsOf(At(request, "headers"));
  exchange.request_body = BodyOf(At(request, "postData"));
  const double status = Number(response, "status");
  if (status >= 100 && status <= 999) exchange.status = static_cast<int>(status);
  exchange.fields = FieldsOf(At(response, "headers"));
  exchange.body = BodyOf(At(response, "content"));
  exchange.received_at = EndOf(entry);
  return exchange;
}

bool IsEntry(const Json& json) { return At(json, "request").is_object() && At(json, "response").is_object(); }

enum class Half : uint8_t { kNone, kFirst, kSecond };

// Whether an escape of half a surrogate pair stands at `at`, and which.
Half HalfAt(std::string_view text, size_t at) {
  if (text.substr(std::min(at, text.size()), 2) != "\\u" || at + 6 > text.size()) return Half::kNone;
  if (text[at + 2] != 'd' && text[at + 2] != 'D') return Half::kNone;
  if (std::string_view("89abAB").find(text[at + 3]) != std::string_view::npos) return Half::kFirst;
  if (std::string_view("cdefCDEF").find(text[at + 3]) != std::string_view::npos) return Half::kSecond;
  return Half::kNone;
}

// Browsers write texts that JavaScript cut in the middle of a character, which is no Unicode: U+FFFD in place
// of a half.
std::string WithWholePairs(std::string_view text) {
  std::string whole(text);
  for (size_t at = whole.find('\\'); at != std::string::npos; at = whole.find('\\', at)) {
    const Half half = HalfAt(whole, at);
    const bool pair = half == Half::kFirst && HalfAt(whole, at + 6) == Half::kSecond;
    if (half != Half::kNone && !pair) whole.replace(at + 2, 4, "fffd");
    at += pair ? 12 : half != Half::kNone ? 6 : 2;
  }
  return whole;
}

}  // namespace

bool LooksLikeHar(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  const auto holds = [text](std::string_view name) { return text.find(name) != std::string_view::npos; };
  return (holds("\"request\"") && holds("\"response\"")) || (holds("\"log\"") && holds("\"entries\""));
}

Result<std::vector<PrintedExchange>> ParseHar(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) document = Json::parse(WithWholePairs(text), nullptr, false);
  if (document.is_discarded()) return Fail("the HAR file is not JSON: cut off, or more than one document");
  const Json& log = At(document, "log").is_object() ? At(document, "log") : document;
  const Json& list = At(log, "entries").is_array() ? At(log, "entries") : log;
  std::vector<PrintedExchange> exchanges;
  if (IsEntry(list)) exchanges.push_back(ToExchange(list));
  if (list.is_array()) {
    for (size_t i = 0; i < list.size(); ++i) {
      if (!IsEntry(list[i])) return Fail(fmt::format("entry {} of the HAR file has no request", i + 1));
      exchanges.push_back(ToExchange(list[i]));
    }
  }
  if (list.is_array() && list.empty()) return Fail("the HAR file has no entries");
  if (exchanges.empty()) return Fail("the input is JSON and no HAR: expected a log, entries or one entry");
  return exchanges;
}

}  // namespace apiquota::cli
