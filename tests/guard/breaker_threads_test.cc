// An api's breaker asked by several threads at once: no probe is lost.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "guard/api_guard.h"
#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

TEST(BreakerThreadsTest, NoProbeIsLost) {
  Options options;
  options.mode = Mode::kOn;
  options.breaker = BreakerOptions{};
  options.breaker->open = options.breaker->open_max = Micros(10);
  const auto api = std::make_shared<ApiGuard>("api");
  api->Configure(options, kStart);
  std::atomic<int64_t> clock{0};
  std::atomic<uint64_t> entered{0};
  const auto now = [&] { return kStart + Micros(++clock); };
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      for (int i = 0; i < 5000; ++i) {
        ApiTurn turn = api->Ask({}, now());
        if (turn.refusal || turn.permit.Enter(now())) continue;
        ++entered;
        if (i % 1000 == 0) api->Configure(options, now());
        const uint64_t drawn = random() % 10;
        if (drawn == 0) continue;  // its client leaves
        turn.permit.Answered(drawn < 8 ? Health::kIll : Health::kWell, now());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(entered, 100U);
  const SystemTime later = kStart + std::chrono::hours(1);
  ApiTurn probe = api->Ask({}, later);
  ASSERT_FALSE(probe.refusal);
  EXPECT_FALSE(probe.permit.Enter(later)) << "a probe was lost";
  probe.permit.Answered(Health::kWell, later);
  EXPECT_FALSE(api->View(later, 0).breaker->open);
}

}  // namespace
}  // namespace apiquota::guard
