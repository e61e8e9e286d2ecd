#include "http/query.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota::http {
namespace {

int HexValue(char c) {
  const char lower = AsciiLower(c);
  if (c >= '0' && c <= '9') return c - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that begins at *i, which then is its last.
char DecodedByte(std::string_view text, size_t* i) {
  if (text[*i] != '%' || *i + 2 >= text.size()) return text[*i];
  const int high = HexValue(text[*i + 1]);
  const int low = HexValue(text[*i + 2]);
  if (high < 0 || low < 0) return text[*i];
  *i += 2;
  return static_cast<char>(high << 4 | low);
}

void AppendEncoded(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= '0' && c <= '9') || (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z') ||
                            std::string_view("-._~").find(c) != std::string_view::npos;
    unreserved ? out->push_back(c) : static_cast<void>(out->append({'%', kHex[byte >> 4], kHex[byte & 15]}));
  }
}

}  // namespace

std::string_view QueryOf(std::string_view address) {
  const std::string_view whole = address.substr(0, address.find('#'));
  const size_t mark = whole.find('?');
  return mark == std::string_view::npos ? std::string_view() : whole.substr(mark + 1);
}

bool QueryReader::Next(QueryParameter* parameter) {
  if (rest_.empty()) return false;
  const size_t end = std::min(rest_.find('&'), rest_.size());
  const std::string_view pair = parameter->text = rest_.substr(0, end);
  const size_t equals = std::min(pair.find('='), pair.size());
  parameter->name = pair.substr(0, equals);
  parameter->value = pair.substr(std::min(equals + 1, pair.size()));
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return true;
}

bool MeansName(std::string_view written, std::string_view name) {
  if (written.size() < name.size()) return false;
  size_t at = 0;
  for (size_t i = 0; i < written.size(); ++i, ++at) {
    if (at == name.size() || AsciiLower(DecodedByte(written, &i)) != AsciiLower(name[at])) return false;
  }
  return at == name.size();
}

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) decoded.push_back(DecodedByte(text, &i));
  return decoded;
}

void AppendParameter(std::string_view name, std::string_view value, std::string* address) {
  const bool first = address->find('?') == std::string::npos;
  if (first || (!address->ends_with('?') && !address->ends_with('&'))) address->push_back(first ? '?' : '&');
  AppendEncoded(name, address);
  address->push_back('=');
  AppendEncoded(value, address);
}

}  // namespace apiquota::http
