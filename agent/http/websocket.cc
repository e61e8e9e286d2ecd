#include "http/websocket.h"

#include <algorithm>

#include "base/text.h"
#include "http/codec_facts.h"

namespace apiquota::http {
namespace {

constexpr size_t kKeySize = 24;  // 16 bytes in base64

bool Lists(const Fields& fields, std::string_view name, std::string_view element) {
  bool found = false;
  for (size_t i = 0; i < fields.size() && !found; ++i) {
    if (!EqualsIgnoreCase(fields[i].name, name)) continue;
    ForEachElement(fields[i].value,
                   [&](std::string_view one) { found = found || EqualsIgnoreCase(one, element); });
  }
  return found;
}

bool IsKey(std::string_view text) {
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return text.size() == kKeySize && text.ends_with("==") &&
         std::ranges::all_of(text.substr(0, kKeySize - 2), is_digit);
}

}  // namespace

std::optional<std::string_view> WebSocketKey(const RequestHead& head) {
  if (!head.connection_names_fields || head.method != "GET" || head.minor_version != 1) return std::nullopt;
  const Fields& fields = head.fields;
  // A body of no bytes is a body, too: what stands behind it is the same to nobody.
  if (head.framing != BodyFraming::kNone || fields.Find("content-length")) return std::nullopt;
  if (!Lists(fields, "connection", "upgrade") || !Lists(fields, "upgrade", kWebSocket)) return std::nullopt;
  if (fields.Count("sec-websocket-key") != 1 || fields.Count("sec-websocket-version") != 1)
    return std::nullopt;
  const auto key = fields.Find("sec-websocket-key");
  return IsKey(*key) ? key : std::nullopt;
}

bool GrantsWebSocket(const ResponseHead& head, std::string_view accept) {
  const Fields& fields = head.fields;
  return head.status == 101 && !accept.empty() && fields.Count("upgrade") == 1 &&
         EqualsIgnoreCase(*fields.Find("upgrade"), kWebSocket) && Lists(fields, "connection", "upgrade") &&
         fields.Count("sec-websocket-accept") == 1 && *fields.Find("sec-websocket-accept") == accept;
}

}  // namespace apiquota::http
