// Requests under way at a time: who waits for a slot, who is refused, and what gives it back; in virtual
// time.
#include <gtest/gtest.h>

#include <vector>

#include "tests/guard/slots_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(KeyGuardSlotsTest, NoMoreThanWrittenAreUnderWayAndAnEndLetsTheNextGo) {
  Start(With(2));
  const Id first = Send();
  Send();
  EXPECT_EQ(Slots().in_use, 2U);
  EXPECT_EQ(Slots().limit, 2U);
  const Verdict waits = guard.Ask(Ask(), now);
  ASSERT_EQ(waits.kind, Verdict::Kind::kQueued);
  EXPECT_EQ(waits.reason, Reason::kConcurrency);
  EXPECT_TRUE(Advance().empty());
  guard.Settle(first, std::nullopt, now);
  const auto grants = Advance();
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].waiter, waits.id);
  EXPECT_EQ(grants[0].reason, Reason::kConcurrency);
  EXPECT_EQ(Slots().in_use, 2U);
}

// An answer's head is here, and its stream goes on.
TEST_F(KeyGuardSlotsTest, AStreamHoldsItsSlotUntilItEnds) {
  Start(With(1));
  const Id stream = Send();
  Hear(stream, Fixed(100, 99, now + seconds(60)));
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued);
  EXPECT_TRUE(Advance().empty());
  guard.Release(stream, now);
  EXPECT_EQ(Advance().size(), 1U);
}

TEST_F(KeyGuardSlotsTest, WithoutAQueueItIsRefusedAndToldWhen) {
  Options options = With(1);
  options.queue.mode = Mode::kOff;
  Start(options);
  Learn(seconds(4));
  const Id first = Send();
  now += seconds(1);
  const Verdict refused = guard.Ask(Ask(), now);
  ASSERT_EQ(refused.kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(refused.refusal->reason, Reason::kConcurrency);
  EXPECT_EQ(refused.refusal->status, 429);
  EXPECT_EQ(refused.refusal->until, now + seconds(3));
  guard.Release(first, now);
  EXPECT_EQ(AskKind(), Verdict::Kind::kAdmit);
}

TEST_F(KeyGuardSlotsTest, AWaitThatIsTooLongByWhatCallsTakeIsRefusedAtOnce) {
  Start(With(1));
  Learn(seconds(10));
  Send();
  EXPECT_EQ(AskKind(seconds(11)), Verdict::Kind::kQueued);
  const Verdict second = guard.Ask(Ask(seconds(11)), now);
  ASSERT_EQ(second.kind, Verdict::Kind::kRefuse) << "one is before it";
  EXPECT_EQ(second.refusal->until, now + seconds(20));
  EXPECT_EQ(AskKind(seconds(25)), Verdict::Kind::kQueued);
}

TEST_F(KeyGuardSlotsTest, WhereNothingIsKnownItWaitsUntilItsDeadline) {
  Start(With(1));
  Send();
  EXPECT_EQ(AskKind(milliseconds(300)), Verdict::Kind::kQueued);
  EXPECT_EQ(guard.NextAt(now), now + milliseconds(300)) << "an end frees a slot, not time";
  now += milliseconds(300);
  const auto grants = Advance();
  ASSERT_EQ(grants.size(), 1U);
  ASSERT_TRUE(grants[0].refusal);
  EXPECT_EQ(grants[0].refusal->reason, Reason::kConcurrency);
}

// The estimate was wrong: who waits already is not sent away for that before its time is over.
TEST_F(KeyGuardSlotsTest, WhoWaitsIsNotRefusedByAnEstimate) {
  Start(With(1));
  Learn(milliseconds(100));
  const Id slow = Send();
  ASSERT_EQ(AskKind(seconds(5)), Verdict::Kind::kQueued);
  now += seconds(4);
  EXPECT_TRUE(Advance().empty());
  guard.Release(slow, now);
  EXPECT_TRUE(Advance().at(0).ticket != 0);
}

TEST_F(KeyGuardSlotsTest, PollsAreCountedAndNeverHeldUp) {
  Start(With(1));
  const Id poll = guard.Take(Ask(), now);
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued);
  const Id second = guard.Take(Ask(), now);
  EXPECT_EQ(Slots().in_use, 2U);
  guard.Release(poll, now);
  EXPECT_TRUE(Advance().empty()) << "one is one too many still";
  guard.Release(second, now);
  EXPECT_EQ(Advance().size(), 1U);
}

TEST_F(KeyGuardSlotsTest, ALeaverTakesNoSlotAndARefusalNone) {
  Start(With(1));
  const Id first = Send();
  const Verdict waits = guard.Ask(Ask(), now);
  guard.Leave(waits.id, now);
  guard.Release(first, now);
  EXPECT_TRUE(Advance().empty());
  EXPECT_EQ(Slots().in_use, 0U);
  EXPECT_EQ(AskKind(), Verdict::Kind::kAdmit);
}

// A queue for each model, one line of slots: the first in the list once had every slot.
TEST_F(KeyGuardSlotsTest, QueuesOfSeveralResourcesTakeTurns) {
  Start(With(1));
  Request a = Ask(), b = Ask();
  a.resource = "a", b.resource = "b";
  Id held = guard.Ask(a, now).id;
  std::vector<Id> of_a, of_b;
  for (int i = 0; i < 3; ++i) {
    of_a.push_back(guard.Ask(a, now).id);
    of_b.push_back(guard.Ask(b, now).id);
  }
  std::vector<Id> order;
  for (int i = 0; i < 6; ++i) {
    guard.Release(held, now);
    const auto grants = Advance();
    ASSERT_EQ(grants.size(), 1U);
    order.push_back(grants[0].waiter);
    held = grants[0].ticket;
  }
  EXPECT_EQ(order, (std::vector<Id>{of_a[0], of_b[0], of_a[1], of_b[1], of_a[2], of_b[2]}));
}

TEST_F(KeyGuardSlotsTest, AReloadCountsWhatIsUnderWay) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  const Id first = Send();
  Send();
  EXPECT_FALSE(guard.View(now).slots);
  guard.Configure(With(2), {});
  EXPECT_EQ(Slots().in_use, 2U);
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued);
  guard.Configure(With(3), {});
  EXPECT_EQ(Advance().size(), 1U);
  guard.Configure(With(1), {});
  guard.Release(first, now);
  EXPECT_EQ(Slots().in_use, 2U);
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued);
  guard.Configure(options, {});
  EXPECT_EQ(Advance().size(), 1U) << "where there is no limit any more nobody waits for it";
}

TEST_F(KeyGuardSlotsTest, AThrottleForConcurrencyOrOverloadShrinksAdaptiveOnes) {
  Start(With(10, true));
  Hear(Send(), {}, &too_many);
  EXPECT_EQ(Slots().limit, 7U);
  EXPECT_EQ(Slots().max, 10U);
  now += seconds(120);
  const provider::Throttle busy{provider::ThrottleScope::kOverload, provider::ThrottleSignal::kStatus, ""};
  Hear(Send(), {}, &busy);
  EXPECT_EQ(Slots().limit, 4U);
  now += seconds(120);
  Hear(Send(), {}, &bare);
  EXPECT_EQ(Slots().limit, 4U) << "too fast is not too many";
}

// There is room with the next call that ends: nobody else waits for a second.
TEST_F(KeyGuardSlotsTest, ARefusalForConcurrencyHoldsUpNobodyWhereSlotsAdapt) {
  const provider::Throttle evident{provider::ThrottleScope::kConcurrency, provider::ThrottleSignal::kBody,
                                   ""};
  Start(With(10, true));
  Hear(Send(), {}, &evident);
  EXPECT_EQ(AskKind(), Verdict::Kind::kAdmit);
  Start(With(10, false));
  Hear(Send(), {}, &evident);
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued) << "where they do not, it is what there is";
}

}  // namespace
}  // namespace apiquota::guard
