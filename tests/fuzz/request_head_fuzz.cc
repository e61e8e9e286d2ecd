// rooms: http
// Any bytes as requests: cutting the input judges the same as giving it whole, and a head that is accepted
// and written for an upstream reads back as the same fields.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "http/forward.h"
#include "tests/http/codec_harness.h"

namespace apiquota::http {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// What AppendUpstreamHead writes is one legal head: re-parsed and written again, nothing changes but the Via
// it adds.
void RequireStableForwarding(const RequestHead& head) {
  const auto path = RequestPath(head.target);
  if (!path) return;
  const BaseUrl base{.tls = false, .host = "b", .port = 80, .path = "/v1", .authority = "b"};
  std::string once;
  AppendUpstreamHead({.head = &head, .base = &base, .path = *path}, &once);
  CodecLimits limits;
  limits.head_bytes_max *= 2;
  limits.target_bytes_max *= 2;
  limits.fields_max += 10;
  RequestParser parser(limits);
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(once, &body);
  Require(step.head_complete && !step.refusal && step.consumed == once.size());
  Require(parser.head().method == head.method && parser.head().framing == head.framing);
  Require(parser.head().content_length == head.content_length && parser.head().host == "b");
  std::string twice;
  const BaseUrl bare{.tls = false, .host = "b", .port = 80, .path = "", .authority = "b"};
  AppendUpstreamHead({.head = &parser.head(), .base = &bare, .path = parser.head().target}, &twice);
  const size_t via = twice.rfind("Via: 1.1 apiquota\r\n");
  Require(via != std::string::npos);
  Require(twice.erase(via, sizeof "Via: 1.1 apiquota\r\n" - 1) == once);
}

void RequireStable(std::string_view input) {
  const Parsed whole = FeedRequests(input, {0});
  Require(FeedRequests(input, {1}) == whole);
  Require(FeedRequests(input, {3, 1, 17}) == whole);
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(input, &body);
  Require(!step.refusal || std::ranges::find(kRefusalRules, step.refusal->rule) != std::end(kRefusalRules));
  if (step.head_complete) RequireStableForwarding(parser.head());
}

}  // namespace
}  // namespace apiquota::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  apiquota::http::RequireStable({reinterpret_cast<const char*>(data), size});
  return 0;
}
