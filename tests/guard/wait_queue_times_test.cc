#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "guard/wait_queue.h"
#include "tests/guard/queue_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WaitQueueTimesTest, NobodyWaitsBehindOneThatRests) {
  Queue queue;
  Waiter resting;
  resting.id = 1000;
  resting.flow = "a";
  resting.not_before = queue.now + seconds(2);
  resting.deadline = queue.now + seconds(60);
  queue.queue.Push(resting, 0.1, true, queue.now);
  EXPECT_EQ(queue.queue.Head(queue.now), nullptr);
  EXPECT_EQ(queue.queue.NextRested(), queue.now + seconds(2));
  const Id other = queue.Push("b");
  const Id last = queue.Push("b");
  EXPECT_EQ(queue.Pop(), other);
  queue.now += seconds(2);
  EXPECT_EQ(queue.Pop(), 1000U) << "first, once it has rested";
  EXPECT_EQ(queue.queue.NextRested(), std::nullopt);
  EXPECT_EQ(queue.Pop(), last);
}

TEST(WaitQueueTimesTest, WhoRestsLeavesAndExpiresLikeAnyOther) {
  Queue queue;
  for (const Id id : {1001U, 1002U}) {
    Waiter resting;
    resting.id = id;
    resting.not_before = queue.now + seconds(id);
    resting.deadline = queue.now + seconds(60);
    queue.queue.Push(resting, 0.1, true, queue.now);
  }
  EXPECT_EQ(queue.queue.size(), 2U);
  EXPECT_TRUE(queue.queue.Remove(1001));
  EXPECT_EQ(queue.queue.NextRested(), queue.now + seconds(1002));
  EXPECT_EQ(queue.queue.TakeExpired(queue.now + seconds(60)).size(), 1U);
  EXPECT_TRUE(queue.queue.empty());
  EXPECT_EQ(queue.queue.NextRested(), std::nullopt);
}

TEST(WaitQueueTimesTest, NobodyOutlivesItsDeadlineAndNobodyIsLost) {
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
      ASSERT_EQ(queue.queue.Head(queue.now) == nullptr, waiting.empty());  // none of them rests
    }
    while (!queue.queue.empty()) leaves(queue.queue.PopHead(queue.now));
    EXPECT_TRUE(waiting.empty());
    EXPECT_EQ(queue.queue.Oldest(), std::nullopt);
  }
}

TEST(WaitQueueTimesTest, WhoComesBackIsNotHeldToItsFormerTimes) {
  Queue queue;
  queue.Push("a", 0.1, 3, false, milliseconds(500));
  queue.Push("b");
  Waiter waiter;
  waiter.id = 3;
  waiter.deadline = queue.now + seconds(1);
  queue.queue.Push(waiter, 0.1, false, queue.now);
  waiter = *queue.queue.Remove(3);
  waiter.deadline = queue.now + seconds(10);
  queue.queue.Push(waiter, 0.1, true, queue.now);
  queue.now += seconds(5);
  EXPECT_EQ(queue.queue.TakeExpired(queue.now).size(), 1U) << "a alone";
  EXPECT_EQ(queue.queue.NextDeadline(), kStart + seconds(10));
  EXPECT_EQ(queue.Pop(), 3U);
}

TEST(WaitQueueTimesTest, WhoRestedOnceHasOnePlaceWhenItComesBack) {
  Queue queue;
  std::vector<Waiter> resting(2);
  for (Id id = 1; id <= 2; ++id) {
    Waiter& waiter = resting[id - 1];
    waiter.id = id;
    waiter.not_before = queue.now + seconds(id);
    waiter.deadline = queue.now + seconds(60);
    queue.queue.Push(waiter, 0.1, true, queue.now);
  }
  queue.queue.Remove(2);
  resting[1].not_before = {};
  queue.queue.Push(resting[1], 0.1, true, queue.now);
  queue.now += seconds(3);
  EXPECT_EQ(queue.Pop(), 1U);
  EXPECT_EQ(queue.Pop(), 2U);
  EXPECT_TRUE(queue.queue.empty());
  EXPECT_EQ(queue.queue.Head(queue.now), nullptr);
}

TEST(WaitQueueTimesTest, TheOldestAndTheSumAreOfThoseWhoStillWait) {
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

}  // namespace
}  // namespace apiquota::guard
