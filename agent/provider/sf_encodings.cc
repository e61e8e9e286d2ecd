#include "provider/sf_encodings.h"

#include <array>
#include <cstdint>

namespace apiquota::provider::sf {
namespace {

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// How many bytes the UTF-8 character at the front takes; 0 if it is none (RFC 3629).
size_t Utf8Length(std::string_view text) {
  struct Lead {
    uint8_t first, last, second_min, second_max, length;
  };
  constexpr std::array<Lead, 9> kLeads = {{{0x00, 0x7f, 0, 0, 1},
                                           {0xc2, 0xdf, 0x80, 0xbf, 2},
                                           {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                           {0xe1, 0xec, 0x80, 0xbf, 3},
                                           {0xed, 0xed, 0x80, 0x9f, 3},
                                           {0xee, 0xef, 0x80, 0xbf, 3},
                                           {0xf0, 0xf0, 0x90, 0xbf, 4},
                                           {0xf1, 0xf3, 0x80, 0xbf, 4},
                                           {0xf4, 0xf4, 0x80, 0x8f, 4}}};
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  for (const Lead& lead : kLeads) {
    if (byte(0) < lead.first || byte(0) > lead.last) continue;
    if (text.size() < lead.length) return 0;
    if (lead.length > 1 && (byte(1) < lead.second_min || byte(1) > lead.second_max)) return 0;
    for (size_t i = 2; i < lead.length; ++i) {
      if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    }
    return lead.length;
  }
  return 0;
}

}  // namespace

std::optional<std::string> DecodeBase64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return bytes;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace apiquota::provider::sf
