// What one quota costs when it is asked: with its window full of sends, and with answers that overtake.
#include <benchmark/benchmark.h>

#include <chrono>

#include "guard/limit.h"
#include "tests/bench/allocations.h"

namespace apiquota {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr SystemTime kNow{seconds(1'718'236'800)};

// Asked by the head of a queue while the window is used up.
void LimitFullWindow(benchmark::State& state) {
  const int64_t sends = state.range(0);
  guard::Limit limit = guard::Limit::Declared({}, {"documented", static_cast<double>(sends), seconds(60)});
  SystemTime now = kNow;
  for (int64_t send = 1; send <= sends; ++send, now += microseconds(300)) {
    const auto ticket = static_cast<guard::Id>(send);
    limit.Take(ticket, 1, now);
    limit.Sent(ticket, now);
    limit.Answered(ticket, now);
    limit.Settle(ticket, 1, now);
  }
  const bench::AllocationCount count(state);
  double ahead = 0;
  for (auto _ : state) {
    ahead = ahead < 50 ? ahead + 1 : 0;
    benchmark::DoNotOptimize(limit.EarliestFor(1, ahead, now));
  }
}
BENCHMARK(LimitFullWindow)->ArgName("sends")->Arg(500)->Arg(4000)->Arg(100'000);

// The whole life of a request with so many others under way, each of whose answers says the level.
void LimitRequest(benchmark::State& state) {
  const auto under_way = static_cast<guard::Id>(state.range(0));
  guard::Limit limit({}, "requests", "requests", provider::QuotaKind::kBucket, false);
  provider::Reading reading;
  reading.quota = reading.unit = "requests";
  reading.kind = provider::QuotaKind::kBucket;
  reading.limit = 1e6;
  reading.remaining = 5e5;
  reading.window_seconds = 60;
  SystemTime now = kNow;
  const bench::AllocationCount count(state);
  guard::Id last = 0;
  for (auto _ : state) {
    now += microseconds(50);
    benchmark::DoNotOptimize(limit.EarliestFor(1, 0, now));
    limit.Take(++last, 1, now);
    limit.Sent(last, now);
    if (last <= under_way) continue;
    const guard::Id ticket = last - under_way;
    limit.Hear({.reading = reading,
                .ticket = ticket,
                .sent_at = now - microseconds(50) * static_cast<int64_t>(under_way),
                .received_at = now,
                .offset = quota::ClockOffset{}},
               now);
    limit.Answered(ticket, now);
    limit.Settle(ticket, 1, now);
  }
}
BENCHMARK(LimitRequest)->ArgName("under_way")->Arg(0)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace apiquota
