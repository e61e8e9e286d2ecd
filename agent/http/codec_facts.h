// What the fields of one head say about framing and the connection, gathered as they are parsed
// (RFC 9112 6, 9).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/codec.h"

namespace apiquota::http {

struct HeadFacts {
  bool of_response = false;
  size_t hosts = 0;
  size_t host_index = 0;  // of the first, in the head's fields
  std::optional<uint64_t> content_length;
  bool chunked = false;  // the one Transfer-Encoding there may be
  bool close = false;    // options of Connection
  bool keep_alive = false;
  std::optional<Micros> keep_alive_timeout;  // the least that Keep-Alive says
  bool expect_continue = false;
  size_t connection_options = 0;
  bool names_fields = false;  // an option of Connection other than those two

  // `index` is the field's place in the head.
  std::optional<Refusal> Note(std::string_view name, std::string_view value, size_t index);

  bool KeepsAlive(int minor_version) const { return !close && (minor_version == 1 || keep_alive); }

 private:
  std::optional<Refusal> NoteContentLength(std::string_view value);
  std::optional<Refusal> NoteTransferEncoding(std::string_view value);
  std::optional<Refusal> NoteConnection(std::string_view value);
  void NoteKeepAlive(std::string_view value);
};

// Content-Length and Transfer-Encoding.
bool DecidesFraming(std::string_view name);

// A head may name this many options in Connection: what removes the fields they name compares each
// with each.
inline constexpr size_t kConnectionOptionsMax = 32;

// Calls `note` with each element of a comma-separated list, trimmed, empty ones left out (RFC
// 9110 5.6.1).
template <class Note>
void ForEachElement(std::string_view list, const Note& note) {
  for (;;) {
    const size_t comma = list.find(',');
    const std::string_view element = Trim(list.substr(0, comma));
    if (!element.empty()) note(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace apiquota::http
