// What clients and upstreams of the session fuzzer can say: pieces of HTTP, each named by a letter. In the
// texts {id} becomes the request's mark, and {y5000} five thousand times y. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace apiquota::fuzz {

struct RequestFragment {
  char letter;
  bool whole;  // a request from its first byte to its last, which a server may answer
  std::string_view text;
};

// Where a response stands between two fragments.
enum class Reply : uint8_t {
  kNone,      // nothing is open
  kLength,    // two bytes are missing
  kChunked,   // the last chunk is missing
  kUntilEnd,  // the end of the connection ends it
  kInterim,   // only as `to`: the final one is still to come
  kTunnel,    // what both sides say is no longer HTTP
  kRogue,     // only as `to`: from here on nobody can tell what belongs to whom
};

struct ReplyFragment {
  char letter;
  Reply from, to;
  std::string_view text;
};

// Letters without a fragment stand for the first one.
const RequestFragment& RequestFor(char letter);
const ReplyFragment& ReplyFor(char letter);

char RequestLetter(size_t n);  // the n-th, round and round
char ReplyLetter(size_t n);

std::string Expand(std::string_view text, std::string_view id);

// "~003.0001~": the client's connection and the number of the request on it. Nobody else writes a tilde.
inline constexpr size_t kMarkLength = 10;
std::string MarkFor(unsigned connection, unsigned request);
inline constexpr std::string_view kNoMark = "none";

}  // namespace apiquota::fuzz
