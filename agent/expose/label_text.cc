#include "expose/label_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace apiquota::expose {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Length of the well-formed sequence `text` starts with; 0 if there is none.
size_t SequenceLength(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto continues = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  const uint8_t first = at(0);
  const uint8_t second = at(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string LabelName(std::string_view name) {
  std::string out;
  for (const char c : name) out += IsLetter(c) || IsDigit(c) ? c : '_';
  if (out.empty() || IsDigit(out[0])) out.insert(out.begin(), '_');
  if (out.starts_with("__")) out.erase(0, std::min(out.find_first_not_of('_'), out.size()) - 1);
  return out;
}

std::string LabelValue(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const size_t length = SequenceLength(value);
    if (length == 0) {
      out += fmt::format("\\x{:02X}", static_cast<uint8_t>(value[0]));
    } else {
      out += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace apiquota::expose
