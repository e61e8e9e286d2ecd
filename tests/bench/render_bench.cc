// What a scrape of a full agent costs: the snapshot of a ledger rendered as a /metrics page.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>

#include "expose/metrics.h"
#include "quota/ledger.h"

namespace apiquota {
namespace {

constexpr SystemTime kNow{std::chrono::seconds(1'718'236'800)};

provider::Reading ReadingOf(const char* quota, const char* unit, double limit) {
  provider::Reading reading;
  reading.quota = quota;
  reading.unit = unit;
  reading.kind = provider::QuotaKind::kFixed;
  reading.limit = limit;
  reading.remaining = limit / 2;
  reading.used = limit / 2;
  reading.reset_at = kNow + std::chrono::minutes(10);
  reading.window_seconds = 3600;
  return reading;
}

// A ledger with `keys` keys of one api, two quotas each.
quota::Snapshot FullSnapshot(int64_t keys) {
  quota::LedgerOptions options;
  options.keys_per_api_max = static_cast<size_t>(keys);
  options.quotas_max = static_cast<size_t>(keys) * 2;
  quota::Ledger ledger(options);
  for (int64_t i = 0; i < keys; ++i) {
    const std::string key = fmt::format("hmac:{:08x}", i);
    const provider::Reading readings[] = {ReadingOf("requests", "requests", 5000),
                                          ReadingOf("tokens", "tokens", 2e6)};
    quota::Observation observation;
    observation.api = "openai";
    observation.key = key;
    observation.exporter = "openai";
    observation.received_at = kNow;
    observation.order = static_cast<uint64_t>(i);
    observation.readings = readings;
    ledger.Observe(observation, kNow);
  }
  return ledger.Read(kNow);
}

// About ten series a quota: 50, 500 and 5,000 keys make 1,000, 10,000 and 100,000 lines and more.
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
BENCHMARK(RenderMetrics)->Arg(50)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace apiquota
