#include "guard/wait_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>

#include "tests/guard/queue_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WaitQueueTest, OneFlowIsServedInOrder) {
  Queue queue;
  for (int i = 0; i < 100; ++i) queue.Push("a", i % 7 == 0 ? 0.5 : 0.001);
  for (Id id = 1; id <= 100; ++id) ASSERT_EQ(queue.Pop(), id);
  EXPECT_TRUE(queue.queue.empty());
  EXPECT_EQ(queue.queue.Head(queue.now), nullptr);
}

TEST(WaitQueueTest, ALongBacklogDoesNotPutOffAnotherCaller) {
  Queue queue;
  for (int i = 0; i < 10; ++i) queue.Push("a");
  queue.Push("b");
  queue.Push("b");
  EXPECT_EQ(queue.PopFlows(6), "ababaa");
}

TEST(WaitQueueTest, ComingBackAtOnceGainsNoTurn) {
  Queue queue;
  for (int i = 0; i < 10; ++i) queue.Push("b");
  queue.Push("a");
  std::string flows;
  for (int i = 0; i < 10; ++i) {
    flows += queue.PopFlow();
    if (flows.back() == 'a') queue.Push("a");
  }
  EXPECT_EQ(flows, "bababababa");
}

TEST(WaitQueueTest, SmallRequestsDoNotStarveALargeOne) {
  Queue queue;
  queue.Push("large", 0.5);
  double had = 0;
  for (int i = 0;; ++i) {
    queue.Push("small", 0.01);
    if (queue.PopFlow() == "large") break;
    had += 0.01;
    ASSERT_LE(had, 0.51);
  }
}

TEST(WaitQueueTest, TheHeadKeepsItsTurn) {
  Queue queue;
  const Id head = queue.Push("large", 0.9, 5);
  ASSERT_EQ(queue.queue.Head(queue.now)->id, head);
  for (int i = 0; i < 50; ++i) {
    queue.Push("small" + std::to_string(i), 0.001, i % 8);
    queue.now += milliseconds(200);
    ASSERT_EQ(queue.queue.Head(queue.now)->id, head);
  }
  const Id again = queue.Push("other", 0.1, 7, true);
  EXPECT_EQ(queue.queue.Head(queue.now)->id, again);
  EXPECT_EQ(queue.Pop(), again);
  EXPECT_EQ(queue.Pop(), head);
}

TEST(WaitQueueTest, AHeadThatLeavesLeavesTheTurnToTheNext) {
  Queue queue;
  const Id a = queue.Push("a");
  const Id b = queue.Push("b");
  ASSERT_EQ(queue.queue.Head(queue.now)->id, a);
  EXPECT_EQ(queue.queue.Remove(a)->flow, "a");
  EXPECT_EQ(queue.queue.Remove(a), std::nullopt);
  EXPECT_EQ(queue.queue.Head(queue.now)->id, b);
}

TEST(WaitQueueTest, AnotherAttemptGoesBeforeAllOthers) {
  Queue queue;
  queue.Push("a", 0.1, 0);
  queue.Push("a", 0.1, 0);
  const Id again = queue.Push("b", 0.1, 7, true);
  EXPECT_EQ(queue.Pop(), again);
}

TEST(WaitQueueTest, TheMoreUrgentGoFirst) {
  Queue queue;
  for (int urgency = 7; urgency >= 0; --urgency) queue.Push(std::to_string(urgency), 0.1, urgency);
  EXPECT_EQ(queue.PopFlows(8), "01234567");
}

TEST(WaitQueueTest, ABacklogOfEqualsIsNotLiftedAboveAnotherCaller) {
  Queue queue;
  for (int i = 0; i < 100; ++i) queue.Push("noisy");
  queue.now += seconds(20);
  queue.Push("quiet");
  EXPECT_EQ(queue.PopFlows(2), "noisyquiet");
}

TEST(WaitQueueTest, AnOldBacklogDoesNotShutOutUrgentOnes) {
  Queue queue;
  for (int i = 0; i < 100; ++i) queue.Push("batch", 0.01, 7);
  queue.now += seconds(20);
  queue.Push("live", 0.01, 0);
  const std::string flows = queue.PopFlows(2);
  EXPECT_NE(flows.find("live"), std::string::npos) << flows;
}

TEST(WaitQueueTest, NobodyOutlivesItsDeadlineAndNobodyIsLost) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    Queue queue;
    std::map<Id, SystemTime> waiting;
    const auto leaves = [&](const Waiter& waiter) { ASSERT_EQ(waiting.erase(waiter.id), 1U) << seed; };
    for (int step = 0; step < 3000; ++step) {
      queue.now += milliseconds(random() % 50);
      const auto patience = milliseconds(random() % 20'000);
      switch (random() % 5) {
        case 0:
        case 1:
          waiting[queue.Push(std::to_string(random() % 9), 1e-4 * static_cast<double>(random() % 999),
                             static_cast<int>(random() % 9), random() % 10 == 0, patience)] =
              queue.now + patience;
          break;
        case 2:
          if (!queue.queue.empty()) leaves(queue.queue.PopHead(queue.now));
          break;
        case 3:
          if (!waiting.empty() && random() % 4 == 0) {
            const std::optional<Waiter> gone = queue.queue.Remove(waiting.begin()->first);
            ASSERT_TRUE(gone);
            leaves(*gone);
          }
          break;
        default:
          for (const Waiter& waiter : queue.queue.TakeExpired(queue.now)) {
            ASSERT_LE(waiter.deadline, queue.now);
            leaves(waiter);
          }
          const auto earliest =
              std::ranges::min_element(waiting, {}, &std::pair<const Id, SystemTime>::second);
          ASSERT_EQ(queue.queue.NextDeadline(),
                    waiting.empty() ? std::nullopt : std::optional(earliest->second));
          ASSERT_TRUE(waiting.empty() || earliest->second > queue.now);
      }
      ASSERT_EQ(queue.queue.size(), waiting.size());
      ASSERT_EQ(queue.queue.Head(queue.now) == nullptr, waiting.empty());
    }
    while (!queue.queue.empty()) leaves(queue.queue.PopHead(queue.now));
    EXPECT_TRUE(waiting.empty());
    EXPECT_EQ(queue.queue.Oldest(), std::nullopt);
  }
}

TEST(WaitQueueTest, TheOldestAndTheSumAreOfThoseWhoStillWait) {
  Queue queue;
  const Id first = queue.Push("a", 2);
  queue.now += seconds(1);
  queue.Push("b", 3);
  EXPECT_EQ(queue.queue.Oldest(), kStart);
  EXPECT_DOUBLE_EQ(queue.queue.tokens_waiting().input, 5);
  queue.queue.Remove(first);
  EXPECT_EQ(queue.queue.Oldest(), kStart + seconds(1));
  EXPECT_DOUBLE_EQ(queue.queue.tokens_waiting().input, 3);
}

TEST(WaitQueueTest, TenThousandAreHeldAndGoInOrder) {
  Queue queue;
  for (int i = 0; i < 10'000; ++i) queue.Push("caller-" + std::to_string(i % 100));
  for (Id id = 1; id <= 10'000; ++id) ASSERT_EQ(queue.Pop(), id);
}

TEST(WaitQueueTest, ACostThatIsNoNumberStopsNoTurn) {
  Queue queue;
  queue.Push("a", std::nan(""));
  queue.Push("b", -1);
  queue.Push("c", 1e300);
  queue.Push("d", 0.1);
  std::string flows = queue.PopFlows(4);
  EXPECT_EQ(flows.back(), 'c');
  std::ranges::sort(flows);
  EXPECT_EQ(flows, "abcd");
}

}  // namespace
}  // namespace apiquota::guard
