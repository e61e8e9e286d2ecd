// What a guarded request costs in decisions: asked and given back, and the whole way to its settlement.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

#include "guard/key_guard.h"
#include "tests/bench/allocations.h"

namespace apiquota {
namespace {

constexpr SystemTime kNow{std::chrono::seconds(1'718'236'800)};

// `windows` documented limits, of which no more than a share is used at this pace.
guard::KeyGuard KeyWith(int64_t windows) {
  std::vector<quota::DeclaredLimit> declared;
  for (int64_t number = 0; number < windows; ++number) {
    declared.push_back({"window-" + std::to_string(number), 1e6, std::chrono::seconds(1 << (2 * number))});
  }
  guard::Options options;
  options.mode = guard::Mode::kOn;
  return {options, declared, false, 1};
}

guard::Request OneRequest(SystemTime now) {
  guard::Request request;
  request.resource = "gpt-4o-mini";
  request.route = "POST /v1/chat/completions";
  request.flow = "ci";
  request.tokens = {40, 200, 240};
  request.deadline = now + std::chrono::seconds(65);
  return request;
}

// Warm: its key has been answered, so that it is no cold start.
void Warm(guard::KeyGuard& key, SystemTime now) {
  const guard::Verdict verdict = key.Ask(OneRequest(now), now);
  key.Sent(verdict.id, now);
  guard::Answer answer;
  answer.status = 200;
  answer.received_at = now;
  answer.resource = "gpt-4o-mini";
  key.Answered(verdict.id, answer, now);
  key.Settle(verdict.id, guard::TokenCost{40, 30, 70}, now);
}

void GuardDecision(benchmark::State& state) {
  guard::KeyGuard key = KeyWith(state.range(0));
  SystemTime now = kNow;
  Warm(key, now);
  const bench::AllocationCount count(state);
  for (auto _ : state) {
    now += std::chrono::microseconds(100);
    const guard::Verdict verdict = key.Ask(OneRequest(now), now);
    if (verdict.kind != guard::Verdict::Kind::kAdmit) state.SkipWithError("it waits");
    key.Release(verdict.id, now);
  }
}
BENCHMARK(GuardDecision)->ArgName("windows")->Arg(0)->Arg(1)->Arg(3);

void GuardRequest(benchmark::State& state) {
  guard::KeyGuard key = KeyWith(state.range(0));
  SystemTime now = kNow;
  Warm(key, now);
  guard::Answer answer;
  answer.status = 200;
  answer.resource = "gpt-4o-mini";
  const bench::AllocationCount count(state);
  for (auto _ : state) {
    now += std::chrono::microseconds(100);
    const guard::Verdict verdict = key.Ask(OneRequest(now), now);
    if (verdict.kind != guard::Verdict::Kind::kAdmit) state.SkipWithError("it waits");
    key.Sent(verdict.id, now);
    answer.received_at = now;
    key.Answered(verdict.id, answer, now);
    key.Settle(verdict.id, guard::TokenCost{40, 30, 70}, now);
  }
}
BENCHMARK(GuardRequest)->ArgName("windows")->Arg(0)->Arg(3);

}  // namespace
}  // namespace apiquota
