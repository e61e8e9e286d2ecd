// rooms: http
// Any bytes as replies to GET and HEAD: cutting the input judges the same as giving it whole, and what is
// written for a client is one legal head that frames its body the way AppendClientHead says.
#include <cstdint>
#include <cstdlib>

#include "http/forward.h"
#include "tests/http/codec_harness.h"

namespace apiquota::http {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void RequireLegalForwarding(const ResponseHead& head, std::string_view method, int minor_version) {
  std::string out;
  const ClientFraming framing = AppendClientHead({.head = &head,
                                                  .client_minor_version = minor_version,
                                                  .head_request = method == "HEAD",
                                                  .add_date = true},
                                                 &out);
  CodecLimits limits;
  limits.head_bytes_max *= 2;
  limits.fields_max += 10;
  ResponseParser parser(limits);
  parser.Reset(method);
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(out, &body);
  Require(step.head_complete && !step.refusal && step.consumed == out.size());
  const ResponseHead& again = parser.head();
  Require(again.status == head.status);
  Require(again.fields.Count("content-length") + again.fields.Count("transfer-encoding") <= 1);
  Require((again.framing == BodyFraming::kChunked) == framing.chunked);
  Require(!framing.chunked || minor_version == 1);
  Require((again.framing == BodyFraming::kNone) == (head.framing == BodyFraming::kNone));
  if (head.framing == BodyFraming::kLength) Require(again.content_length == head.content_length);
  if (again.framing == BodyFraming::kUntilClose) Require(framing.close_after);
}

void RequireStable(std::string_view input, std::string_view method) {
  const Parsed whole = FeedResponses(input, method, {0});
  Require(FeedResponses(input, method, {1}) == whole);
  Require(FeedResponses(input, method, {3, 1, 17}) == whole);
  ResponseParser parser(CodecLimits{});
  parser.Reset(method);
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(input, &body);
  Require(!step.refusal || step.refusal->status == 502);
  if (!step.head_complete) return;
  RequireLegalForwarding(parser.head(), method, 1);
  RequireLegalForwarding(parser.head(), method, 0);
  const bool until_close = parser.head().framing == BodyFraming::kUntilClose;
  Require(parser.ParseEnd() == (step.complete || (until_close && !step.refusal)));
}

}  // namespace
}  // namespace apiquota::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  apiquota::http::RequireStable(input, "GET");
  apiquota::http::RequireStable(input, "HEAD");
  return 0;
}
