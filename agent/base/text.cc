#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

namespace apiquota {
namespace {

constexpr char Lower(char c) { return AsciiLower(c); }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitute});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

// Most numbers are this short: their digits as a whole number and the power of ten below it are doubles
// exactly, so that the one division rounds as it should. Nothing for all others, whether numbers or not.
std::optional<double> ParseShortDecimal(std::string_view text) {
  constexpr size_t kDigitsMax = 15;
  static constexpr std::array<double, kDigitsMax + 1> kPowers = {
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  uint64_t digits = 0;
  size_t i = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i)
    digits = digits * 10 + static_cast<uint64_t>(text[i] - '0');
  if (i == text.size()) return static_cast<double>(digits);
  const size_t fraction = i + 1;
  if (text[i] != '.' || i == 0 || fraction == text.size()) return std::nullopt;
  for (i = fraction; i < text.size() && IsDigit(text[i]); ++i) {
    digits = digits * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i < text.size()) return std::nullopt;
  return static_cast<double>(digits) / kPowers[text.size() - fraction];
}

}  // namespace

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

bool ContainsIgnoreCase(std::string_view text, std::string_view part) {
  const auto same = [](char x, char y) { return Lower(x) == Lower(y); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end() || part.empty();
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), Lower);
  return lower;
}

size_t Utf8Length(std::string_view text) {
  const auto at = [text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto continues = [&at](size_t i) { return (at(i) & 0xC0) == 0x80; };
  const int first = at(0);
  const int second = at(1);
  if (first < 0x80) return text.empty() ? 0 : 1;
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

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<uint64_t> ParseDigits(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const bool fits = IsDigit(c) && !__builtin_mul_overflow(value, 10U, &value) &&
                      !__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value);
    if (!fits) return std::nullopt;
  }
  return value;
}

std::optional<double> ParseDecimal(std::string_view text) {
  if (const auto number = ParseShortDecimal(text)) return number;
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const size_t dot = digits.find('.');
  const std::string_view whole = digits.substr(0, dot);
  if (whole.empty() || !std::ranges::all_of(whole, IsDigit)) return std::nullopt;
  if (dot != std::string_view::npos) {
    const std::string_view fraction = digits.substr(dot + 1);
    if (fraction.empty() || !std::ranges::all_of(fraction, IsDigit)) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view ClosestMatch(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    const bool all_differs = distance >= std::max(word.size(), candidate.size());
    if (distance < best_distance && !all_differs) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string NamedMisspelling(std::string_view word, std::span<const std::string_view> known) {
  constexpr size_t kNamedMax = 40;
  const std::string_view match = ClosestMatch(word, known);
  if (match.empty()) return "";
  const bool plain =
      word.size() <= kNamedMax && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
      });
  return (plain ? " \"" + std::string(word) + "\"" : "") + "; did you mean \"" + std::string(match) + "\"?";
}

std::string FormatNumber(double value) {
  if (value == std::floor(value) && std::fabs(value) < 9007199254740992.0) {
    return fmt::format("{}", static_cast<int64_t>(value));
  }
  return fmt::format("{}", value);
}

}  // namespace apiquota
