// The text rules both directions share. What basic_parser lets pass and this codec refuses, and where:
//
// - line endings other than CRLF, control bytes, DEL, obs-fold in requests: codec_scan.cc, before the parser
//   sees a byte
// - heads, request lines, fields, chunk lines and trailers beyond limits: codec_scan.cc
// - chunk sizes of more than 15 digits, control bytes in chunk extensions: codec_scan.cc
// - Content-Length lists and repeats (in responses: that differ), values ≥ 2^63: codec_facts.cc
// - Transfer-Encoding other than one field "chunked", beside Content-Length, or on 1.0: codec_facts.cc
// - no Host, two Hosts, a Host that is not a host: codec_request.cc
// - methods that are long, CONNECT, TRACE: codec_scan.cc
// - OPTIONS with Max-Forwards: codec_request.cc
// - statuses below 100: codec_scan.cc
//
// What it refuses and a response may have, as every client takes it: a status line that ends with the status,
// blanks before a colon or behind a chunk's size. It is shown them tidied.
//
// Fields whose names differ only in '_' and '-' (Content_Length) are different fields here:
// forwarded verbatim and never taken for one another.
#include "http/codec.h"

#include <array>
#include <charconv>

#include "base/find_byte.h"
#include "base/ip_address.h"
#include "base/text.h"
#include "http/codec_scan.h"

namespace apiquota::http {
namespace {

constexpr bool IsAlphanumeric(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<bool, 256> TokenTable() {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = IsAlphanumeric(static_cast<unsigned char>(c));
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kTokenByte = TokenTable();

constexpr bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 3986's sub-delims are left out on purpose: no name that resolves has them, and a comma would
// let two Hosts pass as one.
bool IsRegName(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !IsHexDigit(text[i + 1]) || !IsHexDigit(text[i + 2])) return false;
    } else if (!IsAlphanumeric(static_cast<unsigned char>(c)) && c != '-' && c != '.' && c != '_' &&
               c != '~') {
      return false;
    }
  }
  return true;
}

bool IsPort(std::string_view text) {
  if (text.empty()) return true;  // "host:" is legal (RFC 3986 3.2.3)
  const auto port = ParseDigits(text);
  return port && *port <= 65535 && text.size() <= 5;
}

}  // namespace

size_t TokenLength(std::string_view text) {
  // Letters, digits and '-' are nearly all that names are made of.
  size_t length = FindByte(text, 0, [](auto byte) {
    using Bytes = decltype(byte);  // unsigned, so that what lies below wraps around
    const auto letter = static_cast<Bytes>((byte | 0x20) - 'a');
    const auto digit = static_cast<Bytes>(byte - '0');
    return (letter >= 26) & (digit >= 10) & (byte != '-');
  });
  while (length < text.size() && kTokenByte[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

bool IsToken(std::string_view text) { return !text.empty() && TokenLength(text) == text.size(); }

bool IsFieldValue(std::string_view text) {
  return FindControl(text, 0) == text.size() && Trim(text).size() == text.size();
}

Refusal NamingProtocol(const Refusal& refusal, std::string_view input) {
  constexpr char kTlsHandshake = 0x16;                       // RFC 8446 5.1
  constexpr std::string_view kHttp2 = "PRI * HTTP/2.0\r\n";  // RFC 9113 3.4
  Refusal named = refusal;
  const bool tls = input.starts_with(kTlsHandshake) && (input.size() < 2 || input[1] == 3);
  if (tls) named.detail = "this port speaks plain HTTP/1.1, the client began with TLS; use an http:// URL";
  if (input.starts_with(kHttp2)) named.detail = "this port speaks HTTP/1.1, the client began with HTTP/2";
  return named;
}

bool IsHost(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !IpAddress::Parse(text.substr(0, end + 1))) return false;
    const std::string_view rest = text.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1)));
  }
  const size_t colon = text.find(':');
  if (!IsRegName(text.substr(0, colon))) return false;
  return colon == std::string_view::npos || IsPort(text.substr(colon + 1));
}

void AppendChunkHeader(size_t size, std::string* out) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, size, 16);
  out->append(digits, end).append("\r\n");
}

}  // namespace apiquota::http
