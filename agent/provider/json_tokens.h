// The two tokens of JSON with a grammar of their own, byte by byte, for json_reader.h. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apiquota::provider {
namespace json {

// Follows RFC 8259 6 byte by byte.
class NumberGrammar {
 public:
  void Start() { at_ = At::kStart; }
  // False: c is not part of the number.
  bool Take(char c) {
    const bool digits = at_ == At::kInteger || at_ == At::kFraction || at_ == At::kExponent;
    return (digits && c >= '0' && c <= '9') || TakeOther(c);
  }
  bool Complete() const {
    return at_ == At::kZero || at_ == At::kInteger || at_ == At::kFraction || at_ == At::kExponent;
  }
  bool has_exponent() const { return at_ == At::kExponent; }  // once complete

 private:
  enum class At : uint8_t { kStart, kMinus, kZero, kInteger, kPoint, kFraction, kE, kSign, kExponent };
  bool TakeOther(char c);

  At at_ = At::kStart;
};

// Puts together what backslashes stand for (RFC 8259 7); surrogates must come in pairs.
class Escape {
 public:
  enum class Step : uint8_t { kMore, kDone, kMalformed };
  void Start() { at_ = At::kLetter; }
  Step Take(char c, std::string* out);  // the bytes behind the backslash, one by one

 private:
  enum class At : uint8_t { kLetter, kDigits, kSecondBackslash, kSecondU };
  Step TakeLetter(char c, std::string* out);
  Step TakeDigit(char c, std::string* out);

  At at_ = At::kLetter;
  int digits_ = 0;
  uint32_t unit_ = 0;
  uint32_t high_ = 0;  // the first half of a pair
};

// The same number without its exponent: "1.2e3" → "1200". One beyond a double's range is left as it is.
std::string WithoutExponent(std::string_view number);

}  // namespace json

}  // namespace apiquota::provider
