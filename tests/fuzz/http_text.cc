#include "tests/fuzz/http_text.h"

#include <charconv>

#include "base/text.h"

namespace apiquota::fuzz {

bool WellFormedHead(std::string_view head) {
  if (!head.ends_with("\r\n\r\n")) return false;
  head.remove_suffix(2);
  for (bool first = true; !head.empty(); first = false) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    if (line.empty() || line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return false;
    const size_t colon = line.find(':');
    if (!first && (colon == 0 || colon == std::string_view::npos || line.find(' ') < colon)) return false;
    head.remove_prefix(end + 2);
  }
  return true;
}

std::optional<std::string_view> FieldOf(std::string_view head, std::string_view lower_name) {
  std::optional<std::string_view> found;
  while (true) {
    const size_t end = head.find("\r\n");
    if (end == std::string_view::npos) return found;
    const std::string_view line = head.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && EqualsIgnoreCase(line.substr(0, colon), lower_name)) {
      if (found) return std::string_view("two of them");
      found = line.substr(colon + 1);
      while (found->starts_with(' ')) found->remove_prefix(1);
    }
    head.remove_prefix(end + 2);
  }
}

std::optional<size_t> ToNumber(std::string_view digits, int base) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace apiquota::fuzz
