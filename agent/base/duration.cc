#include "base/duration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace apiquota {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 10> kUnits = {{
    {"s", 1e6},
    {"ms", 1e3},
    {"m", 60e6},
    {"h", 3600e6},
    {"d", 86400e6},
    {"w", 604800e6},
    {"us", 1},
    {"ns", 1e-3},
    {"µs", 1},  // U+00B5, the micro sign
    {"μs", 1},  // U+03BC, the Greek letter: Go reads both
}};
constexpr double kMicrosMax = 100 * 365.25 * 86400e6;

constexpr bool OfNumber(char c) { return (c >= '0' && c <= '9') || c == '.'; }

std::optional<double> UnitMicros(std::string_view unit) {
  for (const auto& [name, micros] : kUnits) {
    if (name == unit) return micros;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Micros> ParseDuration(std::string_view text) {
  if (text == "0") return Micros(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    size_t unit_at = 0;
    while (unit_at < text.size() && OfNumber(text[unit_at])) ++unit_at;
    size_t unit_end = unit_at;
    while (unit_end < text.size() && !OfNumber(text[unit_end])) ++unit_end;
    if (unit_at == 0 || unit_at == unit_end) return std::nullopt;
    const auto number = ParseDecimal(text.substr(0, unit_at));
    const auto micros = UnitMicros(text.substr(unit_at, unit_end - unit_at));
    if (!number || !micros) return std::nullopt;
    total += *number * *micros;
    if (total > kMicrosMax) return std::nullopt;
    text.remove_prefix(unit_end);
  }
  return Micros(std::llround(total));
}

std::string FormatDuration(Micros duration) {
  int64_t micros = duration.count();
  if (micros == 0) return "0s";
  std::string text = micros < 0 ? "-" : "";
  if (micros < 0) micros = -std::max(micros, -INT64_MAX);
  constexpr std::pair<const char*, int64_t> kParts[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000},
                                                        {"m", 60'000'000},     {"s", 1'000'000},
                                                        {"ms", 1'000},         {"us", 1}};
  for (const auto& [name, size] : kParts) {
    if (micros < size) continue;
    text += std::to_string(micros / size) + name;
    micros %= size;
  }
  return text;
}

}  // namespace apiquota
