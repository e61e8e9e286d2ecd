#include "http/codec_facts.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "http/keep_alive.h"

namespace apiquota::http {

bool DecidesFraming(std::string_view name) {
  switch (name.size()) {
    case 14:
      return EqualsIgnoreCase(name, "content-length");
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding");
    default:
      return false;
  }
}

std::optional<Refusal> HeadFacts::Note(std::string_view name, std::string_view value, size_t index) {
  switch (name.size()) {
    case 4:
      if (EqualsIgnoreCase(name, "host") && ++hosts == 1) host_index = index;
      return std::nullopt;
    case 6:
      if (EqualsIgnoreCase(name, "expect") && EqualsIgnoreCase(value, "100-continue")) expect_continue = true;
      return std::nullopt;
    case 10:
      if (EqualsIgnoreCase(name, "connection")) return NoteConnection(value);
      if (EqualsIgnoreCase(name, "keep-alive")) NoteKeepAlive(value);
      return std::nullopt;
    case 14:
      return EqualsIgnoreCase(name, "content-length") ? NoteContentLength(value) : std::nullopt;
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding") ? NoteTransferEncoding(value) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<Refusal> HeadFacts::NoteContentLength(std::string_view value) {
  if (chunked) return Refusal{400, "content_length", "Content-Length beside Transfer-Encoding"};
  if (content_length && !of_response) return Refusal{400, "content_length", "more than one Content-Length"};
  // A server and a module of it may both have said it: the same number twice, in two fields or in one, is
  // that number (RFC 9112 6.3).
  for (;;) {
    const size_t comma = of_response ? value.find(',') : std::string_view::npos;
    const std::string_view element = of_response ? Trim(value.substr(0, comma)) : value;
    const auto length = element.size() <= 19 ? ParseDigits(element) : std::nullopt;
    if (!length || *length > std::numeric_limits<int64_t>::max()) {
      return Refusal{400, "content_length", "Content-Length is not one plain number"};
    }
    if (content_length && content_length != length) {
      return Refusal{400, "content_length", "two Content-Lengths that differ"};
    }
    content_length = length;
    if (comma == std::string_view::npos) return std::nullopt;
    value.remove_prefix(comma + 1);
  }
}

std::optional<Refusal> HeadFacts::NoteTransferEncoding(std::string_view value) {
  if (chunked) return Refusal{400, "transfer_encoding", "more than one Transfer-Encoding"};
  if (content_length) return Refusal{400, "transfer_encoding", "Transfer-Encoding beside Content-Length"};
  if (!EqualsIgnoreCase(value, "chunked")) {
    return Refusal{400, "transfer_encoding", "a Transfer-Encoding other than chunked"};
  }
  chunked = true;
  return std::nullopt;
}

std::optional<Refusal> HeadFacts::NoteConnection(std::string_view value) {
  bool tokens = true;
  ForEachElement(value, [this, &tokens](std::string_view option) {
    tokens = tokens && IsToken(option);
    ++connection_options;
    const bool is_close = EqualsIgnoreCase(option, "close");
    const bool is_keep_alive = EqualsIgnoreCase(option, "keep-alive");
    close = close || is_close;
    keep_alive = keep_alive || is_keep_alive;
    names_fields = names_fields || !(is_close || is_keep_alive);
  });
  if (!tokens) return Refusal{400, "connection", "a malformed Connection field"};
  if (connection_options <= kConnectionOptionsMax) return std::nullopt;
  return Refusal{400, "connection", "too many options in Connection"};
}

void HeadFacts::NoteKeepAlive(std::string_view value) {
  const auto timeout = KeepAliveTimeout(value);
  if (timeout) keep_alive_timeout = std::min(keep_alive_timeout.value_or(*timeout), *timeout);
}

}  // namespace apiquota::http
