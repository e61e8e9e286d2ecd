// Observe is in the path of every request: it allocates nothing for quotas it knows, and any thread may call
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "tests/allocations.h"
#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

std::vector<provider::Reading> Readings(double remaining) {
  std::vector<provider::Reading> readings;
  for (const char* resource : {"a-model-with-a-long-name-2024-08-06", "core"}) {
    for (const QuotaKind kind : {QuotaKind::kFixed, QuotaKind::kBucket}) {
      Words words{.limit = 1000,
                  .remaining = remaining,
                  .reset = 60,
                  .window = 60,
                  .resource = resource,
                  .kind = kind};
      words.quota = std::string("requests-of-") + std::string(ToText(kind));
      readings.push_back(ReadingOf(words));
      readings.back().policy = "a policy with quite a long name";
      readings.back().derived = {provider::SignalField::kUsed, provider::SignalField::kWindow};
    }
  }
  return readings;
}

Observation ObservationOf(const std::vector<provider::Reading>& readings, double received, uint64_t order) {
  Observation observation;
  observation.api = "openai-production-europe";
  observation.key = "a-key-with-a-long-alias";
  observation.exporter = "openai-with-a-long-name";
  observation.received_at = At(received);
  observation.date = At(std::floor(received));
  observation.order = order;
  observation.readings = readings;
  return observation;
}

TEST(LedgerHotPathTest, KnownQuotasAreObservedWithoutAnAllocation) {
  Ledger ledger({});
  const std::vector<provider::Reading> first = Readings(900);
  const std::vector<provider::Reading> second = Readings(899);
  ledger.Observe(ObservationOf(first, 1, 1), At(1));
  const size_t before = allocations;
  ledger.Observe(ObservationOf(second, 2, 2), At(2));
  ledger.Observe(ObservationOf(second, 3, 3), At(3));
  EXPECT_EQ(allocations, before);
}

TEST(LedgerHotPathTest, ThreadsObserveAndReadAtOnce) {
  constexpr uint64_t kThreads = 4, kEach = 1000;
  Ledger ledger({.resources_per_key_max = 1, .keys_per_api_max = 4});
  std::atomic<uint64_t> order{0};
  std::vector<std::jthread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kEach; ++i) {
        const uint64_t n = ++order;
        const provider::Reading reading =
            ReadingOf({.limit = 10'000, .remaining = 10'000.0 - static_cast<double>(n), .reset = 60});
        Observation observation = ObservationOf({}, 1, n);
        const std::string key = "hmac:" + std::to_string(i % 6);
        if (i % 2 == 0) observation.key = key;
        observation.readings = {&reading, 1};
        ledger.Observe(observation, At(1));
        if (i % 100 == t) ledger.Read(At(1));
      }
    });
  }
  threads.clear();
  const Snapshot snapshot = ledger.Read(At(1));
  ASSERT_EQ(snapshot.quotas.size(), 4u);  // the alias and hmac:0, 2, 4
  EXPECT_EQ(snapshot.dropped_total, 0);
  double lowest = 10'000;
  for (const QuotaView& view : snapshot.quotas) lowest = std::min(lowest, view.remaining.value_or(10'000));
  EXPECT_EQ(lowest, 10'000 - kThreads * kEach);
}

TEST(LedgerHotPathTest, ThreadsThatMeetAKeyAtOnceLoseNothing) {
  constexpr int kThreads = 2, kKeys = 500;
  Ledger ledger({});
  std::atomic<int> arrived{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const provider::Reading reading = ReadingOf({.limit = 10, .remaining = 9});
      for (int i = 0; i < kKeys; ++i) {
        Observation observation = ObservationOf({}, 1, 1);
        const std::string key = "alias-" + std::to_string(i);
        observation.key = key;
        observation.readings = {&reading, 1};
        for (++arrived; arrived < (i + 1) * kThreads;) std::this_thread::yield();  // both in the same moment
        ledger.Observe(observation, At(1));
      }
    });
  }
  threads.clear();
  const Snapshot snapshot = ledger.Read(At(1));
  EXPECT_EQ(snapshot.quotas.size(), static_cast<size_t>(kKeys));
  EXPECT_EQ(snapshot.dropped_total, 0);
}

}  // namespace
}  // namespace apiquota::quota
