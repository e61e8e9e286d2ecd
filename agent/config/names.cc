#include "config/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace apiquota::config {
namespace {

constexpr size_t kNameMax = 64;
constexpr size_t kHeaderBytesMax = 64;

constexpr bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && IsAlnum(name[0]) &&
         std::ranges::all_of(name, [](char c) { return IsAlnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool IsHeaderName(std::string_view name) {
  return !name.empty() && name.size() <= kHeaderBytesMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string UnknownExporter(std::string_view name, const std::vector<std::string>& exporters) {
  const std::vector<std::string_view> known(exporters.begin(), exporters.end());
  const std::string_view match = ClosestMatch(name, known);
  return "unknown exporter; " + (match.empty() ? fmt::format("expected one of {}", fmt::join(known, ", "))
                                               : fmt::format("did you mean \"{}\"?", match));
}

}  // namespace apiquota::config
