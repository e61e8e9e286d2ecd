// rooms: http
// Any bytes as a chunked body: cutting the input judges the same as giving it whole; an accepted body,
// chunked again as the proxy would, reads back as the same bytes; and no data comes out that did not go in.
#include <cstdint>
#include <cstdlib>

#include "tests/http/codec_harness.h"

namespace apiquota::http {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string BodyOf(const std::string& message) {
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(message, &body);
  Require(step.complete && step.consumed == message.size());
  std::string text;
  for (const std::string_view slice : body) text += slice;
  return text;
}

void RequireStable(std::string_view chunks) {
  const std::string message = std::string(kHead) + std::string(chunks);
  const CodecLimits small{.chunk_line_bytes_max = 32, .trailer_bytes_max = 64};
  for (const CodecLimits& limits : {CodecLimits{}, small}) {
    const Parsed whole = FeedRequests(message, {0}, limits);
    Require(FeedRequests(message, {1}, limits) == whole);
    Require(FeedRequests(message, {kHead.size() + 2, 5}, limits) == whole);
  }
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(message, &body);
  std::string again(kHead);
  std::string text;
  for (const std::string_view slice : body) {
    Require(!slice.empty() && slice.data() >= message.data() + kHead.size() &&
            slice.data() + slice.size() <= message.data() + step.consumed);
    AppendChunkHeader(slice.size(), &again);
    again.append(slice).append(kChunkEnd);
    text += slice;
  }
  if (step.complete) Require(BodyOf(again.append(kLastChunk)) == text);
}

}  // namespace
}  // namespace apiquota::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  apiquota::http::RequireStable({reinterpret_cast<const char*>(data), size});
  return 0;
}
