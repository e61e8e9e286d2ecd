#include "provider/label.h"

#include "base/text.h"

namespace apiquota::provider {
namespace {

// The character that `text` begins with, in UTF-8 of `length` bytes, does what it says and nothing else.
bool IsPlainCharacter(std::string_view text, size_t length) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length == 1) return byte(0) >= 0x20 && byte(0) != 0x7f;
  if (length == 2) return byte(0) != 0xc2 || byte(1) >= 0xa0;  // U+0080 to U+009F
  if (length != 3 || byte(0) != 0xe2) return length != 0;
  const bool separator = byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae;  // U+2028 to U+202E
  const bool isolate = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;    // U+2066 to U+2069
  return !separator && !isolate;
}

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (!IsPlainCharacter(text, length)) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

bool FitForLabel(std::string_view text) {
  constexpr size_t kLabelBytesMax = 128;
  return !text.empty() && text.size() <= kLabelBytesMax && IsPrintable(text);
}

}  // namespace apiquota::provider
