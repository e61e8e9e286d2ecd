#include "http/quoted_text.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota::http {

void AppendJsonString(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out->push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    const size_t size = Utf8Length(text);
    if (c == '"' || c == '\\') {
      out->append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7f) {
      out->append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    } else if (size == 0) {
      out->append("\\ufffd");
    } else {
      out->append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out->push_back('"');
}

void AppendStructuredString(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out->push_back('\\');
    out->push_back(byte < 0x20 || byte >= 0x7f ? '?' : c);
    text.remove_prefix(std::max<size_t>(1, Utf8Length(text)));
  }
  out->push_back('"');
}

}  // namespace apiquota::http
