// What reading and rewriting one message's head costs: 11 fields each way, as an API client and an API send
// them.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/codec.h"
#include "http/forward.h"

namespace apiquota::http {
namespace {

constexpr std::string_view kRequest =
    "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost:4290\r\nUser-Agent: OpenAI/Python "
    "1.30.1\r\n"
    "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    "Authorization: Bearer sk-0123456789abcdefghijklmnopqrstuvwxyz0123456789\r\nContent-Type: "
    "application/json\r\n"
    "X-Stainless-Lang: python\r\nX-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nContent-Length: "
    "2\r\n\r\n{}";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
    "Connection: keep-alive\r\nx-ratelimit-limit-requests: 10000\r\nx-ratelimit-limit-tokens: 200000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-remaining-tokens: 199993\r\n"
    "x-ratelimit-reset-requests: 8.64s\r\nx-ratelimit-reset-tokens: 2ms\r\nServer: example\r\n"
    "Content-Length: 2\r\n\r\n{}";

void ParseRequest(benchmark::State& state) {
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  for (auto _ : state) {
    body.clear();
    parser.Reset();
    benchmark::DoNotOptimize(parser.Parse(kRequest, &body));
  }
}
BENCHMARK(ParseRequest);

void ParseResponse(benchmark::State& state) {
  ResponseParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  for (auto _ : state) {
    body.clear();
    parser.Reset("POST");
    benchmark::DoNotOptimize(parser.Parse(kResponse, &body));
  }
}
BENCHMARK(ParseResponse);

void ParseChunks(benchmark::State& state) {
  std::string message = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) message += "64\r\n" + std::string(100, 'x') + "\r\n";
  message += kLastChunk;
  ResponseParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  for (auto _ : state) {
    body.clear();
    parser.Reset("POST");
    benchmark::DoNotOptimize(parser.Parse(message, &body));
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(ParseChunks);

void WriteUpstreamHead(benchmark::State& state) {
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  parser.Parse(kRequest, &body);
  const BaseUrl base = *ParseBaseUrl("https://api.openai.com");
  std::string out;
  for (auto _ : state) {
    out.clear();
    const auto path = PathUnderRoute(*RequestPath(parser.head().target), "/openai");
    AppendUpstreamHead({.head = &parser.head(), .base = &base, .path = *path}, &out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(WriteUpstreamHead);

void WriteClientHead(benchmark::State& state) {
  ResponseParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  parser.Reset("POST");
  parser.Parse(kResponse, &body);
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(AppendClientHead({.head = &parser.head()}, &out));
  }
}
BENCHMARK(WriteClientHead);

}  // namespace
}  // namespace apiquota::http
