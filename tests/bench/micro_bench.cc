// What one exchange costs after the client has its answer: extraction, the ledger, and a scrape of a full
// agent.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "expose/metrics.h"
#include "provider/extract_signals.h"
#include "quota/ledger.h"

namespace apiquota {
namespace {

constexpr SystemTime kNow{std::chrono::seconds(1'718'236'800)};

http::Exchange OpenAiExchange() {
  http::Exchange exchange;
  exchange.method = "POST";
  exchange.host = "api.openai.com";
  exchange.path = "/v1/chat/completions";
  exchange.request_body = {{"/model", "gpt-4o-mini"}};
  exchange.status = 200;
  exchange.received_at = kNow;
  for (const auto& [name, value] : {
           std::pair{"Date", "Wed, 12 Jun 2024 16:00:00 GMT"},
           std::pair{"Content-Type", "application/json"},
           std::pair{"Content-Length", "1006"},
           std::pair{"Connection", "keep-alive"},
           std::pair{"openai-organization", "example"},
           std::pair{"openai-processing-ms", "512"},
           std::pair{"openai-version", "2020-10-01"},
           std::pair{"strict-transport-security", "max-age=31536000; includeSubDomains"},
           std::pair{"x-ratelimit-limit-requests", "10000"},
           std::pair{"x-ratelimit-limit-tokens", "2000000"},
           std::pair{"x-ratelimit-remaining-requests", "9999"},
           std::pair{"x-ratelimit-remaining-tokens", "1999744"},
           std::pair{"x-ratelimit-reset-requests", "6ms"},
           std::pair{"x-ratelimit-reset-tokens", "7ms"},
           std::pair{"x-request-id", "req_0123456789abcdef0123456789abcdef"},
       }) {
    exchange.fields.Add(name, value);
  }
  return exchange;
}

provider::ExporterPtr OpenAi() { return provider::Catalogue::Embedded().value().Find("openai"); }

void ExtractOpenAiResponse(benchmark::State& state) {
  const provider::ExporterPtr exporter = OpenAi();
  const http::Exchange exchange = OpenAiExchange();
  for (auto _ : state) {
    benchmark::DoNotOptimize(provider::ExtractSignals(*exporter, exchange));
  }
}
BENCHMARK(ExtractOpenAiResponse);

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
  const provider::Signals signals = provider::ExtractSignals(*OpenAi(), OpenAiExchange());
  quota::Observation observation = ObservationOf(signals, "ci");
  SystemTime now = kNow;
  for (auto _ : state) {
    now += std::chrono::milliseconds(1);
    observation.received_at = now;
    ++observation.order;
    benchmark::DoNotOptimize(ledger.Observe(observation, now));
  }
}
BENCHMARK(ObserveReadings);

// A ledger with `keys` keys of one api, two quotas each.
quota::Snapshot FullSnapshot(int64_t keys) {
  quota::LedgerOptions options;
  options.keys_per_api_max = static_cast<size_t>(keys);
  options.quotas_max = static_cast<size_t>(keys) * 2;
  quota::Ledger ledger(options);
  const provider::Signals signals = provider::ExtractSignals(*OpenAi(), OpenAiExchange());
  for (int64_t i = 0; i < keys; ++i) {
    const std::string key = fmt::format("hmac:{:08x}", i);
    quota::Observation observation = ObservationOf(signals, key);
    observation.received_at = kNow;
    observation.order = static_cast<uint64_t>(i);
    ledger.Observe(observation, kNow);
  }
  return ledger.Read(kNow);
}

// About ten series a quota: 500 keys make 10,000 lines and more.
void RenderMetrics(benchmark::State& state) {
  const quota::Snapshot snapshot = FullSnapshot(state.range(0));
  size_t bytes = 0;
  int64_t lines = 0;
  for (auto _ : state) {
    expose::MetricsPage page;
    page.snapshot = snapshot;
    const std::string text = expose::MetricsText(std::move(page));
    bytes = text.size();
    lines = std::count(text.begin(), text.end(), '\n');
  }
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["lines"] = static_cast<double>(lines);
}
BENCHMARK(RenderMetrics)->Arg(50)->Arg(500)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace apiquota

BENCHMARK_MAIN();
