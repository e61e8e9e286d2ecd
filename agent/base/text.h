// Small pure functions over text. ASCII only, but for Utf8Length: protocol text has no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota {

constexpr char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Inline: a head's fields are compared with many names, nearly all of which differ in size or first
// letter.
constexpr bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && AsciiLower(a[i]) != AsciiLower(b[i])) return false;
  }
  return true;
}
bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix);
bool ContainsIgnoreCase(std::string_view text, std::string_view part);
std::string ToLower(std::string_view text);

// Without the spaces and tabs at both ends (OWS of RFC 9110 5.6.3).
constexpr std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// How many bytes the UTF-8 character at the front of `text` takes; 0 if there is none: no overlong forms, no
// surrogates, nothing beyond U+10FFFF (RFC 3629 4).
size_t Utf8Length(std::string_view text);

// Never empty: "" gives one empty part. Parts are views into `text`, not trimmed.
std::vector<std::string_view> Split(std::string_view text, char separator);

// Digits only, whole text, no sign; nothing on overflow or anything else.
std::optional<uint64_t> ParseDigits(std::string_view text);

// A finite decimal number, whole text: -?digits[.digits]; no exponent, no inf, no nan.
std::optional<double> ParseDecimal(std::string_view text);

// The candidate closest to `word` if it is close enough to be a slip of the keyboard (a third of
// its letters, at least one; swapped neighbours count once); else "".
std::string_view ClosestMatch(std::string_view word, std::span<const std::string_view> candidates);

// How a message names a word of our own language that somebody misspelt: ` "prxy"; did you mean "proxy"?`.
// Empty if it is close to none of `known`: then it may be a credential in the wrong place, and no message
// repeats one.
std::string NamedMisspelling(std::string_view word, std::span<const std::string_view> known);

// The shortest text that reads back as the same number; whole numbers below 2^53 without an
// exponent
// ("5000", "0.25", "1e-05").
std::string FormatNumber(double value);

}  // namespace apiquota
