// Texts of our own as strings of JSON (RFC 8259) and of structured fields (RFC 9651). Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace apiquota::http {

// With its quotes; what is not UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

// sf-string of RFC 9651 3.3.3, with its quotes: printable ASCII only; a character that is not becomes one
// '?'. (A Display String could hold it, but RFC 9209 2.1.4 wants a String.)
void AppendStructuredString(std::string_view text, std::string* out);

// The largest Integer of a structured field (RFC 9651 section 3.3.1).
inline constexpr double kStructuredIntegerMax = 999'999'999'999'999;

}  // namespace apiquota::http
