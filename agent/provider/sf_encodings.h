// The two encodings inside structured fields: base64 of Byte Sequences, UTF-8 of Display Strings. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace apiquota::provider::sf {

// RFC 4648 4; padding may be missing and spare bits may be set (RFC 9651 4.2.7).
std::optional<std::string> DecodeBase64(std::string_view text);

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace apiquota::provider::sf
