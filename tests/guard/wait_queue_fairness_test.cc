#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "guard/deficit_round_robin.h"
#include "guard/wait_queue.h"
#include "tests/guard/queue_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kQuantum =
    static_cast<double>(DeficitRoundRobin::kQuantum) / static_cast<double>(DeficitRoundRobin::kQuota);

double Jain(const std::vector<double>& had) {
  double sum = 0;
  double squares = 0;
  for (const double x : had) {
    sum += x;
    squares += x * x;
  }
  return squares == 0 ? 1 : sum * sum / (static_cast<double>(had.size()) * squares);
}

// Urgent requests without end; one of the last class is served within its bound: what it waits until it is
// lifted, and one turn of the urgent.
TEST(WaitQueueFairnessTest, UrgentRequestsDoNotStarveTheLastClass) {
  for (const Micros patience : {Micros(seconds(600)), Micros(seconds(4))}) {
    Queue queue;
    for (int i = 0; i < 10; ++i) queue.Push("urgent", 0.01, 0);
    const Id last = queue.Push("last", 0.01, 7, false, patience);
    const Micros bound = std::min(patience / 2, Micros(seconds(5))) + milliseconds(200);
    while (queue.Pop() != last) {
      queue.Push("urgent", 0.01, 0);
      queue.now += milliseconds(100);
      ASSERT_LE(queue.now - kStart, bound);
    }
  }
}

TEST(WaitQueueFairnessTest, TheLiftedStillTakeTurns) {
  Queue queue;
  for (int i = 0; i < 20; ++i) queue.Push("x", 0.01, 7);
  for (int i = 0; i < 5; ++i) queue.Push("y", 0.01, 7);
  queue.now += seconds(6);
  std::map<std::string, int> had;
  for (int i = 0; i < 20; ++i) {
    queue.Push("urgent", 0.01, 0);
    ++had[queue.PopFlow()];
  }
  EXPECT_EQ(had, (std::map<std::string, int>{{"urgent", 10}, {"x", 5}, {"y", 5}}));
}

TEST(WaitQueueFairnessTest, TheLiftedPayNothingForWhatTheyHadAlone) {
  Queue queue;
  for (int i = 0; i < 40; ++i) queue.Push("batch", 0.01, 7);
  queue.Push("urgent", 0.01, 0);
  queue.now += seconds(6);
  for (int i = 0; i < 20; ++i) queue.PopFlow();
  std::map<std::string, int> had;
  for (int i = 0; i < 20; ++i) {
    queue.Push("urgent", 0.01, 0);
    ++had[queue.PopFlow()];
  }
  EXPECT_GE(had["batch"], 9);
}

// Two callers that both have somebody waiting all the while get the same, but for one quantum and the largest
// request; counted from any later moment, but for another.
TEST(WaitQueueFairnessTest, NoBackloggedCallerFallsBehindByMoreThanAQuantumAndItsLargestRequest) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> share(0, 1);
    const int flows = 2 + static_cast<int>(random() % 5);
    const double largest = std::pow(10, -3 * share(random));
    Queue queue;
    const auto refill = [&](int flow) {
      // The last one sends small requests, the first one large ones.
      const double size = largest * (flow == 0 ? 1 : flow == flows - 1 ? 0.01 : share(random));
      queue.Push(std::to_string(flow), size);
    };
    for (int flow = 0; flow < flows; ++flow) {
      for (int i = 0; i < 4; ++i) refill(flow);
    }
    std::vector<double> had(static_cast<size_t>(flows));
    std::vector<double> least(had.size() * had.size());
    std::vector<double> most(least.size());
    for (int i = 0; i < 3000; ++i) {
      const Waiter waiter = queue.queue.PopHead(queue.now);
      const int flow = std::stoi(waiter.flow);
      had[static_cast<size_t>(flow)] += waiter.tokens.input;
      refill(flow);
      for (size_t a = 0; a < had.size(); ++a) {
        for (size_t b = 0; b < had.size(); ++b) {
          const double gap = had[a] - had[b];
          const size_t pair = a * had.size() + b;
          least[pair] = std::min(least[pair], gap);
          most[pair] = std::max(most[pair], gap);
          ASSERT_LE(gap, kQuantum + largest + 1e-5) << seed;
          ASSERT_LE(most[pair] - least[pair], kQuantum + 2 * largest + 1e-5) << seed;
        }
      }
    }
  }
}

TEST(WaitQueueFairnessTest, ANoisyCallerTakesNothingFromEquals) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> gap(1);
    constexpr int kCallers = 10;
    Queue queue;
    std::vector<SystemTime> next(kCallers, kStart);
    std::vector<double> had(kCallers);
    // One place in 100 ms; equals ask for 1.2 times their share of it, the first one for ten times as much.
    for (int slot = 0; slot < 3000; ++slot) {
      queue.now = kStart + milliseconds(100) * slot;
      for (size_t caller = 0; caller < kCallers; ++caller) {
        const double mean = caller == 0 ? 0.0833 : 0.833;
        while (next[caller] <= queue.now) {
          queue.Push(std::to_string(caller), 1.0 / 60, 3, false, seconds(30));
          next[caller] += SecondsToMicros(gap(random) * mean);
        }
      }
      queue.queue.TakeExpired(queue.now);
      const std::string flow = queue.PopFlow();
      if (!flow.empty()) ++had[std::stoul(flow)];
    }
    EXPECT_GE(Jain(had), 0.95) << seed;
    EXPECT_GE(Jain({had.begin() + 1, had.end()}), 0.95) << seed;
  }
}

}  // namespace
}  // namespace apiquota::guard
