// Limits on calls at a time that an API tells of itself: what is ours of them, and what others hold.
#include <gtest/gtest.h>

#include "tests/guard/slots_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(KeyGuardSlotsTest, ALimitOnCallsAtOnceThatTheApiTellsIsKept) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  const Id first = Send();
  Hear(first, AtOnce(3, 1));
  Send();
  const Id third = Send();
  const Verdict waits = guard.Ask(Ask(), now);
  ASSERT_EQ(waits.kind, Verdict::Kind::kQueued);
  EXPECT_EQ(waits.reason, Reason::kConcurrency);
  EXPECT_EQ(waits.quota, "concurrency");
  EXPECT_EQ(guard.View(now).limits.at(0).reserved, 3);
  EXPECT_EQ(guard.View(now).limits.at(0).available, 0);
  guard.Release(third, now);
  EXPECT_EQ(Advance().size(), 1U);
  guard.Release(first, now);
  EXPECT_EQ(guard.View(now).limits.at(0).available, 1);
}

TEST_F(KeyGuardSlotsTest, WhatOthersHoldOfItIsNotOurs) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  const Id first = Send();
  now += milliseconds(20);
  Hear(first, AtOnce(5, 4));
  Send();
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued) << "three are others'";
  const auto next = guard.NextAt(now);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, now + seconds(1)) << "after which nobody knows";
  now = *next;
  EXPECT_EQ(Advance().size(), 1U);
}

// Its own calls, begun while the answer was on its way, once passed for somebody else's.
TEST_F(KeyGuardSlotsTest, OwnCallsAreNoOthers) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  const Id first = Send();
  for (int i = 0; i < 3; ++i) {
    now += milliseconds(5);
    guard.Release(Send(), now);
    Send();
  }
  now += milliseconds(20);
  Hear(first, AtOnce(6, 5));
  Send();
  EXPECT_EQ(AskKind(), Verdict::Kind::kAdmit);
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued) << "six it is";
}

TEST_F(KeyGuardSlotsTest, WhereOnlyTheRestIsSaidTheMostThatEverWasIsTheLimit) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  Hear(Send(), AtOnce({}, {}, 2));
  Send();
  now += milliseconds(5);
  Hear(Send(), AtOnce({}, {}, 0));
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued);
}

TEST_F(KeyGuardSlotsTest, ARefusalForItShrinksWhatWasSaid) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  Hear(Send(), AtOnce(10, 1));
  Hear(Send(), AtOnce(10, {}), &too_many);
  EXPECT_EQ(guard.View(now).limits.at(0).limit, 10);
  EXPECT_EQ(guard.View(now).limits.at(0).available, 5) << "seven, and two are under way";
}

// A reload may correct what kind of quota it is; what is under way counts in it at once.
TEST_F(KeyGuardSlotsTest, AQuotaThatIsCalledAnotherKindStartsOver) {
  Options options = With(0);
  options.concurrency.reset();
  Start(options);
  provider::Reading other = AtOnce(2, 1);
  other.kind = provider::QuotaKind::kFixed;
  other.unit = "requests";
  other.remaining = 1;
  const Id first = Send();
  Hear(first, other);
  Hear(first, AtOnce(2, 1));
  Send();
  EXPECT_EQ(AskKind(), Verdict::Kind::kQueued);
  EXPECT_EQ(guard.View(now).limits.at(0).reserved, 2);
  guard.Release(first, now);
  EXPECT_EQ(Advance().size(), 1U);
}

}  // namespace
}  // namespace apiquota::guard
