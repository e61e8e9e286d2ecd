// What a key's guard can say afterwards of the last requests: why they went, waited or were refused.
#include <gtest/gtest.h>

#include <vector>

#include "tests/guard/key_guard_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DecisionsTest : public KeyGuardTest {
 protected:
  void UseUp(double remaining = 0) {
    const Id first = Send();
    now += milliseconds(20);
    Answer(first, {Fixed(5, remaining, kStart + seconds(60))});
  }
};

TEST_F(DecisionsTest, BeforeAnybodyHasAskedThereIsNothingToSay) {
  EXPECT_FALSE(guard.View(now).last);
  EXPECT_FALSE(guard.View(now).last_held);
}

TEST_F(DecisionsTest, AWaitIsToldInTheNumbersOfItsQuota) {
  UseUp();
  Request request = Ask();
  request.tokens = {.input = 10, .output = 20, .counted = 30};
  const Verdict first = guard.Ask(Ask(), now), second = guard.Ask(request, now);
  ASSERT_EQ(first.kind, Verdict::Kind::kQueued);
  ASSERT_EQ(second.kind, Verdict::Kind::kQueued);
  const KeyView view = guard.View(now);
  ASSERT_TRUE(view.last && view.last_held);
  const Decision& told = *view.last;
  EXPECT_EQ(told.at, now);
  EXPECT_EQ(told.kind, Verdict::Kind::kQueued);
  EXPECT_EQ(told.reason, Reason::kPace);
  EXPECT_EQ(told.tokens, request.tokens);
  EXPECT_EQ(told.waiting_before, 1u);
  EXPECT_EQ(told.deadline, request.deadline);
  EXPECT_EQ(told.waited, std::nullopt) << "it waits";
  ASSERT_TRUE(told.could_go);
  EXPECT_GE(*told.could_go, kStart + seconds(60));
  EXPECT_LE(*told.could_go, kStart + seconds(64));
  ASSERT_TRUE(told.held_by);
  EXPECT_EQ(told.held_by->quota, "requests");
  EXPECT_EQ(told.held_by->unit, "requests");
  EXPECT_EQ(told.held_by->limit, 5);
  EXPECT_EQ(told.held_by->window_seconds, 60);
  EXPECT_EQ(told.held_by->available, 0);
  EXPECT_EQ(told.held_by->cost, 1);
  EXPECT_EQ(told.evidence, "");
}

TEST_F(DecisionsTest, HowLongItHasWaitedIsToldOnceItGoes) {
  UseUp();
  const SystemTime asked = now;
  ASSERT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  now = kStart + seconds(64);
  ASSERT_EQ(Advance().size(), 1u);
  EXPECT_EQ(guard.View(now).last_held->waited, now - asked);
  EXPECT_EQ(guard.View(now).last_held->kind, Verdict::Kind::kQueued);
}

TEST_F(DecisionsTest, PlainAllowsDoNotWipeTheLastThatWasHeld) {
  UseUp();
  ASSERT_EQ(guard.Ask(Ask(seconds(1)), now).kind, Verdict::Kind::kRefuse);
  now = kStart + seconds(64);
  Send();
  const KeyView view = guard.View(now);
  EXPECT_EQ(view.last->kind, Verdict::Kind::kAdmit);
  EXPECT_EQ(view.last->at, now);
  EXPECT_EQ(view.last->could_go, now);
  EXPECT_FALSE(view.last->held_by);
  EXPECT_EQ(view.last_held->kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(view.last_held->held_by->quota, "requests");
}

TEST_F(DecisionsTest, ARefusalAfterAWaitTellsHowLongItHadWaited) {
  UseUp();
  const SystemTime asked = now;
  ASSERT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  now += milliseconds(500);
  std::vector<Grant> grants;
  guard.Drain(now + seconds(1), now, &grants);
  ASSERT_EQ(grants.size(), 1u);
  const KeyView view = guard.View(now);
  EXPECT_EQ(view.last->kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(view.last->waited, now - asked);
  EXPECT_GE(*view.last->could_go, kStart + seconds(60));
}

TEST_F(DecisionsTest, ACooldownIsToldWithItsEvidence) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {}, 429, &bare, 30);
  ASSERT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  const KeyView view = guard.View(now);
  EXPECT_EQ(view.last->reason, Reason::kRetryAfter);
  EXPECT_EQ(view.last->evidence, "retry-after");
  EXPECT_FALSE(view.last->held_by);
  ASSERT_EQ(Advance().size(), 0u);
  now += seconds(40);
  ASSERT_EQ(Advance().size(), 1u);
  now += seconds(3);
  UseUp();
  ASSERT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  EXPECT_EQ(guard.View(now).last->evidence, "") << "that one waits for a quota";
}

TEST_F(DecisionsTest, WhatCanNeverFitHasNoTimeAtWhichItCouldGo) {
  const Id first = Send();
  now += milliseconds(20);
  provider::Reading reading = Fixed(100, 100, kStart + seconds(60));
  reading.quota = reading.unit = "tokens";
  Answer(first, {reading});
  Request request = Ask();
  request.tokens = {.input = 0, .output = 200, .counted = 200};
  request.capped = true;
  ASSERT_EQ(guard.Ask(request, now).kind, Verdict::Kind::kRefuse);
  const Decision told = *guard.View(now).last;
  EXPECT_EQ(told.could_go, std::nullopt);
  EXPECT_EQ(told.held_by->limit, 100);
  EXPECT_EQ(told.held_by->cost, 200);
}

TEST_F(DecisionsTest, APollIsTakenAndIsNoDecision) {
  UseUp();
  EXPECT_NE(guard.Take(Ask(), now), 0u);
  EXPECT_EQ(guard.View(now).last->kind, Verdict::Kind::kAdmit);
  EXPECT_FALSE(guard.View(now).last_held);
  EXPECT_EQ(guard.View(now).limits.at(0).available, -1);
}

TEST_F(DecisionsTest, AShadowJudgesInNumbersToo) {
  UseUp();
  EXPECT_EQ(guard.Judge(Ask(), now).kind, Verdict::Kind::kQueued);
  EXPECT_EQ(guard.View(now).last->held_by->quota, "requests");
  EXPECT_EQ(guard.Judge(Ask(seconds(1)), now).kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(guard.View(now).last_held->kind, Verdict::Kind::kRefuse);
}

TEST_F(DecisionsTest, WhoeverGivesUpBehindALargeOneIsRefusedForTheQueue) {
  const auto tokens = [&](Micros reset) {
    provider::Reading reading = Fixed(100, 50, kStart + reset);
    reading.quota = reading.unit = "tokens";
    return reading;
  };
  const auto of_tokens = [&](double cost, Micros patience) {
    Request request = Ask(patience);
    request.tokens = {.input = 0, .output = cost, .counted = cost};
    return request;
  };
  const Id first = Send(), second = Send();
  now += milliseconds(20);
  Answer(first, {tokens(seconds(5))});
  ASSERT_EQ(guard.Ask(of_tokens(80, seconds(65)), now).kind, Verdict::Kind::kQueued);
  ASSERT_EQ(guard.Ask(of_tokens(10, seconds(20)), now).kind, Verdict::Kind::kQueued);
  Answer(second, {tokens(seconds(60))});
  ASSERT_TRUE(Advance().empty()) << "what is left is set aside for the large one";
  now += seconds(20);
  const auto grants = Advance();
  ASSERT_EQ(grants.size(), 1U);
  ASSERT_TRUE(grants[0].refusal);
  EXPECT_EQ(grants[0].refusal->reason, Reason::kQueue);
  EXPECT_EQ(guard.View(now).last->reason, Reason::kQueue);
  EXPECT_EQ(guard.View(now).last->waiting_before, std::nullopt);
}

}  // namespace
}  // namespace apiquota::guard
