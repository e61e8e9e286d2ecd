#include "guard/wait_queue.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
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

// Who would be cheaper now that its first has left goes after the one whose turn was told.
TEST(WaitQueueTest, OthersThatLeaveChangeNoTurn) {
  for (const bool first : {false, true}) {
    Queue queue;
    const Id large = queue.Push("a", 1, 3, first);
    queue.Push("a", 0.001, 3, first);
    const Id head = queue.Push("b", 0.5, 3, first);
    ASSERT_EQ(queue.queue.Head(queue.now)->id, head);
    queue.queue.Remove(large);
    EXPECT_EQ(queue.queue.Head(queue.now)->id, head);
    EXPECT_EQ(queue.Pop(), head);
  }
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

TEST(WaitQueueTest, AWaiterAsksAgainForWhatItAskedFor) {
  Queue queue;
  Waiter waiter;
  waiter.id = 1;
  waiter.home = 3;
  waiter.resource = "gpt-4o";
  waiter.route = "POST /v1/chat/completions";
  waiter.flow = "batch";
  waiter.urgency = 5;
  waiter.tokens = {.input = 10, .output = 20, .counted = 30};
  waiter.capped = true;
  waiter.deadline = queue.now + seconds(9);
  queue.queue.Push(waiter, 0.1, true, queue.now);
  const Waiter* head = queue.queue.Head(queue.now);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->since, queue.now);
  const Request request = head->AsRequest();
  EXPECT_EQ(request.resource, waiter.resource);
  EXPECT_EQ(request.route, waiter.route);
  EXPECT_EQ(request.flow, waiter.flow);
  EXPECT_EQ(request.urgency, waiter.urgency);
  EXPECT_EQ(request.tokens, waiter.tokens);
  EXPECT_EQ(request.capped, waiter.capped);
  EXPECT_EQ(request.deadline, waiter.deadline);
  EXPECT_EQ(request.home, waiter.home);
  EXPECT_TRUE(request.again);
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

TEST(WaitQueueTest, TenThousandAreHeldInAKilobyteEachAndGoInOrder) {
  Queue queue;
  const size_t before = mallinfo2().uordblks;  // 0 throughout under a sanitizer
  for (int i = 0; i < 10'000; ++i) queue.Push("caller-" + std::to_string(i % 100));
  EXPECT_LE(mallinfo2().uordblks - before, 10'000U * 1024);
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
