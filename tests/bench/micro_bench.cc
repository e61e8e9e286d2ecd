// What one exchange costs after the client has its answer: extraction and the ledger.
#include <benchmark/benchmark.h>

#include <chrono>

#include "provider/body_reader.h"
#include "provider/catalogue.h"
#include "provider/extract_signals.h"
#include "quota/ledger.h"
#include "tests/bench/allocations.h"

namespace apiquota {
namespace {

constexpr SystemTime kNow{std::chrono::seconds(1'718'236'800)};

using FieldList = std::initializer_list<std::pair<const char*, const char*>>;

http::Exchange ExchangeOf(const char* method, const char* host, const char* path, FieldList fields) {
  http::Exchange exchange;
  exchange.method = method;
  exchange.host = host;
  exchange.path = path;
  exchange.status = 200;
  exchange.received_at = kNow;
  for (const auto& [name, value] : fields) exchange.fields.Add(name, value);
  return exchange;
}

http::Exchange OpenAiExchange() {
  http::Exchange exchange = ExchangeOf("POST", "api.openai.com", "/v1/chat/completions",
                                       {{"Date", "Wed, 12 Jun 2024 16:00:00 GMT"},
                                        {"Content-Type", "application/json"},
                                        {"Content-Length", "1006"},
                                        {"Connection", "keep-alive"},
                                        {"openai-organization", "example"},
                                        {"openai-processing-ms", "512"},
                                        {"openai-version", "2020-10-01"},
                                        {"strict-transport-security", "max-age=31536000; includeSubDomains"},
                                        {"x-ratelimit-limit-requests", "10000"},
                                        {"x-ratelimit-limit-tokens", "2000000"},
                                        {"x-ratelimit-remaining-requests", "9999"},
                                        {"x-ratelimit-remaining-tokens", "1999744"},
                                        {"x-ratelimit-reset-requests", "6ms"},
                                        {"x-ratelimit-reset-tokens", "7ms"},
                                        {"x-request-id", "req_0123456789abcdef0123456789abcdef"}});
  exchange.request_body = {{"/model", "gpt-4o-mini"}};
  return exchange;
}

http::Exchange GitHubExchange() {
  return ExchangeOf("GET", "api.github.com", "/repos/example/example/issues",
                    {{"Server", "github.com"},
                     {"Date", "Wed, 12 Jun 2024 16:00:00 GMT"},
                     {"Content-Type", "application/json; charset=utf-8"},
                     {"Cache-Control", "private, max-age=60, s-maxage=60"},
                     {"Vary", "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding"},
                     {"ETag", "W/\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""},
                     {"X-OAuth-Scopes", "repo"},
                     {"X-Accepted-OAuth-Scopes", ""},
                     {"X-GitHub-Media-Type", "github.v3; format=json"},
                     {"X-RateLimit-Limit", "5000"},
                     {"X-RateLimit-Remaining", "4987"},
                     {"X-RateLimit-Reset", "1718238600"},
                     {"X-RateLimit-Used", "13"},
                     {"X-RateLimit-Resource", "core"},
                     {"Access-Control-Allow-Origin", "*"},
                     {"Strict-Transport-Security", "max-age=31536000; includeSubdomains; preload"},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Content-Length", "2048"},
                     {"X-GitHub-Request-Id", "0123:4567:89ABCD:EF0123:45678901"}});
}

provider::ExporterPtr Find(const char* name) { return provider::Catalogue::Embedded().value().Find(name); }

// `exchange` refused with 429 and this body, read as it is when it passes.
http::Exchange Refused(const char* exporter_name, http::Exchange exchange, std::string_view body) {
  const provider::ExporterPtr exporter = Find(exporter_name);
  exchange.status = 429;
  auto reader = provider::BodyReader::For(*exporter, exchange);
  reader->Write(body);
  reader->TakeInto(&exchange);
  return exchange;
}

http::Exchange OpenAiRefusal() {
  return Refused("openai", OpenAiExchange(),
                 R"({"error":{"message":"Rate limit reached","type":"requests","param":null,)"
                 R"("code":"rate_limit_exceeded"}})");
}

http::Exchange GeminiRefusal() {
  return Refused(
      "google-gemini",
      ExchangeOf("POST", "generativelanguage.googleapis.com",
                 "/v1beta/models/gemini-2.0-flash:generateContent",
                 {{"Content-Type", "application/json; charset=UTF-8"},
                  {"Date", "Wed, 12 Jun 2024 16:00:00 GMT"},
                  {"Server", "scaffolding on HTTPServer2"},
                  {"Transfer-Encoding", "chunked"}}),
      R"({"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[)"
      R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":)"
      R"("generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":)"
      R"("GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue":"15"}]},)"
      R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22s"}]}})");
}

void Extract(benchmark::State& state, const char* exporter_name, const http::Exchange& exchange) {
  const provider::ExporterPtr exporter = Find(exporter_name);
  const bench::AllocationCount count(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(provider::ExtractSignals(*exporter, exchange, provider::Unknown::kPassOver));
  }
}
BENCHMARK_CAPTURE(Extract, openai, "openai", OpenAiExchange());
BENCHMARK_CAPTURE(Extract, github, "github", GitHubExchange());
BENCHMARK_CAPTURE(Extract, openai_refusal, "openai", OpenAiRefusal());
BENCHMARK_CAPTURE(Extract, gemini_refusal, "google-gemini", GeminiRefusal());

quota::Observation ObservationOf(const provider::Signals& signals, std::string_view key) {
  quota::Observation observation;
  observation.api = "openai";
  observation.key = key;
  observation.exporter = "openai";
  observation.readings = signals.readings;
  return observation;
}

void ObserveReadings(benchmark::State& state) {
  quota::Ledger ledger{quota::LedgerOptions{}};
  const provider::Signals signals = provider::ExtractSignals(*Find("openai"), OpenAiExchange());
  quota::Observation observation = ObservationOf(signals, "ci");
  SystemTime now = kNow;
  const bench::AllocationCount count(state);
  for (auto _ : state) {
    now += std::chrono::milliseconds(1);
    observation.received_at = now;
    ++observation.order;
    benchmark::DoNotOptimize(ledger.Observe(observation, now));
  }
}
BENCHMARK(ObserveReadings);

}  // namespace
}  // namespace apiquota

BENCHMARK_MAIN();
