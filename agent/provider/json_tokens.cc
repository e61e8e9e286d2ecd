#include "provider/json_tokens.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace apiquota::provider {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<uint32_t> HexDigit(char c) {
  if (IsDigit(c)) return static_cast<uint32_t>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<uint32_t>(lower - 'a' + 10);
  return std::nullopt;
}

void AppendUtf8(uint32_t code, std::string* out) {
  const auto trail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->append({static_cast<char>(0xc0 | code >> 6), trail(0)});
  } else if (code < 0x10000) {
    out->append({static_cast<char>(0xe0 | code >> 12), trail(6), trail(0)});
  } else {
    out->append({static_cast<char>(0xf0 | code >> 18), trail(12), trail(6), trail(0)});
  }
}

}  // namespace

namespace json {

bool NumberGrammar::TakeOther(char c) {
  switch (at_) {
    case At::kStart:
    case At::kMinus:
      if (c == '-' && at_ == At::kStart) {
        at_ = At::kMinus;
      } else if (IsDigit(c)) {
        at_ = c == '0' ? At::kZero : At::kInteger;
      } else {
        return false;
      }
      return true;
    case At::kZero:
    case At::kInteger:
      if (c == '.') {
        at_ = At::kPoint;
        return true;
      }
      break;
    case At::kPoint:
      if (!IsDigit(c)) return false;
      at_ = At::kFraction;
      return true;
    case At::kFraction:
      break;
    case At::kE:
      if (c == '+' || c == '-') {
        at_ = At::kSign;
        return true;
      }
      [[fallthrough]];
    case At::kSign:
      if (!IsDigit(c)) return false;
      at_ = At::kExponent;
      return true;
    case At::kExponent:
      return false;
  }
  if (c != 'e' && c != 'E') return false;
  at_ = At::kE;
  return true;
}

Escape::Step Escape::Take(char c, std::string* out) {
  switch (at_) {
    case At::kLetter:
      return TakeLetter(c, out);
    case At::kDigits:
      return TakeDigit(c, out);
    case At::kSecondBackslash:
      at_ = At::kSecondU;
      return c == '\\' ? Step::kMore : Step::kMalformed;
    case At::kSecondU:
      at_ = At::kDigits;
      return c == 'u' ? Step::kMore : Step::kMalformed;
  }
  return Step::kMalformed;
}

Escape::Step Escape::TakeLetter(char c, std::string* out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (c == 'u') {
    at_ = At::kDigits;
    digits_ = 0;
    unit_ = high_ = 0;
    return Step::kMore;
  }
  const size_t which = kLetters.find(c);
  if (which == std::string_view::npos) return Step::kMalformed;
  out->push_back(kMeanings[which]);
  return Step::kDone;
}

Escape::Step Escape::TakeDigit(char c, std::string* out) {
  const auto digit = HexDigit(c);
  if (!digit) return Step::kMalformed;
  unit_ = unit_ << 4 | *digit;
  if (++digits_ < 4) return Step::kMore;
  const bool leads = unit_ >= 0xd800 && unit_ < 0xdc00;
  const bool trails = unit_ >= 0xdc00 && unit_ < 0xe000;
  if (trails != (high_ != 0)) return Step::kMalformed;
  if (leads) {
    high_ = unit_;
    unit_ = 0;
    digits_ = 0;
    at_ = At::kSecondBackslash;
    return Step::kMore;
  }
  AppendUtf8(trails ? 0x10000 + ((high_ - 0xd800) << 10) + (unit_ - 0xdc00) : unit_, out);
  return Step::kDone;
}

std::string WithoutExponent(std::string_view number) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc()) return std::string(number);
  std::string text = FormatNumber(value);
  if (text.find('e') == std::string::npos) return text;
  constexpr int kPlaces = 12;
  return fmt::format("{:.{}f}", value, std::abs(value) < 1 ? kPlaces : 0);
}

}  // namespace json
}  // namespace apiquota::provider
