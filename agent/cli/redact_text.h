// What of a text may stand in a file that others read: words, short numbers and times; never what could be a
// credential, an account, a request's name or somebody's address. A judgement by looks: names that people
// chose ("acme") look like words. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace apiquota::cli {

inline constexpr std::string_view kRedacted = "redacted";
inline constexpr size_t kDigitsOfNames = 8;     // a date in a model's name
inline constexpr size_t kDigitsOfAmounts = 13;  // milliseconds since the epoch

// The text with all in it replaced that looks like an identifier: e-mail addresses, texts of letters and
// digits mixed, letters that are no word, more digits in a row than `digits_max`, and anything that hangs on
// one of them by "-", "_" or ".". Bytes that are not visible ASCII become "?".
std::string WithoutIdentifiers(std::string_view text, size_t digits_max);

// Whether nothing in it looks like one.
bool ShowsNoIdentifier(std::string_view text, size_t digits_max);

// A name as programs have them: words tied together by "_", "-" and "."; no digits.
bool IsPlainName(std::string_view text);

// A segment of a path that says which endpoint it is and nothing else: "models", "v1beta", "2024-04",
// "graphql.json".
bool NamesAnEndpoint(std::string_view segment);

// A word such as an error code: "rate_limit_exceeded", "Throttling.User".
bool LooksLikeCode(std::string_view text);

}  // namespace apiquota::cli
