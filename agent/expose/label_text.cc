#include "expose/label_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace apiquota::expose {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

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
    const size_t length = Utf8Length(value);
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
