// Who waits for one key, and how waits end, in virtual time.
#include <gtest/gtest.h>

#include <vector>

#include "guard/key_guard.h"
#include "tests/guard/key_guard_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(KeyGuardTest, AnotherAttemptGoesBeforeThoseWhoWait) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(1, 0, kStart + seconds(60))});
  const Verdict waits = guard.Ask(Ask(), now);
  ASSERT_EQ(waits.kind, Verdict::Kind::kQueued);
  Request again = Ask(seconds(300));
  again.again = true;
  const Verdict retry = guard.Ask(again, now);
  ASSERT_EQ(retry.kind, Verdict::Kind::kQueued);
  now = kStart + seconds(62);
  const auto grants = Advance();
  ASSERT_EQ(grants.size(), 2U);
  EXPECT_EQ(grants[0].waiter, retry.id);
  EXPECT_NE(grants[0].ticket, 0U);
  EXPECT_TRUE(grants[1].refusal) << "the other one's time would come after its deadline";
}

TEST_F(KeyGuardTest, WhatWasNeverSentComesBackWhole) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(2, 1, kStart + seconds(60))});
  const Verdict admitted = guard.Ask(Ask(), now);
  ASSERT_EQ(admitted.kind, Verdict::Kind::kAdmit);
  EXPECT_NE(guard.Ask(Ask(), now).kind, Verdict::Kind::kAdmit);
  guard.Release(admitted.id, now);
  EXPECT_EQ(Advance().size(), 1U) << "who waited gets it";
}

TEST_F(KeyGuardTest, NobodyOutlivesItsDeadline) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(2, 0, kStart + seconds(60))});
  const Verdict waits = guard.Ask(Ask(seconds(65)), now);
  ASSERT_EQ(waits.kind, Verdict::Kind::kQueued);
  // Somebody else spends the window before ours can.
  now = kStart + seconds(61);
  provider::Reading empty = Fixed(2, 0, kStart + seconds(120));
  const Verdict poll = guard.Judge(Ask(), now);
  guard.Sent(poll.id, now);
  Answer(poll.id, {empty});
  now = kStart + seconds(66);
  const auto grants = Advance();
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_TRUE(grants[0].refusal);
}

TEST_F(KeyGuardTest, WhoLeavesIsNotGranted) {
  for (int i = 0; i < 10; ++i) Send();
  const Verdict waits = guard.Ask(Ask(), now);
  ASSERT_EQ(waits.kind, Verdict::Kind::kQueued);
  guard.Leave(waits.id, now);
  now += seconds(3);
  EXPECT_TRUE(Advance().empty());
  EXPECT_EQ(guard.View(now).waiting, 0U);
}

TEST_F(KeyGuardTest, AFullQueueRefusesAtOnceWith503) {
  Options options = GuardOn();
  options.queue.size = 1;
  guard.Configure(options, {});
  for (int i = 0; i < 10; ++i) Send();
  EXPECT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  const Verdict second = guard.Ask(Ask(), now);
  ASSERT_EQ(second.kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(second.refusal->status, 503);
  EXPECT_EQ(second.refusal->reason, Reason::kQueue);
}

TEST_F(KeyGuardTest, WhoeverCantGoBeforeTheAgentStopsIsTold503) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(1, 0, kStart + seconds(60))});
  ASSERT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  std::vector<Grant> grants;
  guard.Drain(now + seconds(30), now, &grants);
  ASSERT_EQ(grants.size(), 1U);
  ASSERT_TRUE(grants[0].refusal);
  EXPECT_EQ(grants[0].refusal->status, 503);
}

// An exporter says an hour of an API whose windows are seen to end every five seconds.
TEST_F(KeyGuardTest, WhoWaitsForLaterWindowsWaitsAsLongAsThoseWereSeenToLast) {
  for (int i = 1; i <= 3; ++i) {
    const Id id = Send();
    now += milliseconds(20);
    provider::Reading reading = Fixed(2, i < 3 ? 1 : 0, kStart + seconds(5 * i));
    reading.window_seconds = 3600;
    Answer(id, {reading});
    if (i < 3) now = kStart + seconds(5 * i + 2);
  }
  for (int i = 0; i < 5; ++i) {
    const Verdict verdict = guard.Ask(Ask(), now);
    EXPECT_EQ(verdict.kind, Verdict::Kind::kQueued) << i;
  }
  const Verdict impatient = guard.Ask(Ask(seconds(1)), now);
  ASSERT_EQ(impatient.kind, Verdict::Kind::kRefuse);
  EXPECT_LT(impatient.refusal->until, kStart + seconds(30)) << "in the third window from now";
}

// A key that has met many models is not held to what one of them says.
TEST_F(KeyGuardTest, WhatIsSaidOfOneOfVeryManyResourcesHoldsUpNoOther) {
  const auto ask = [&](const std::string& model, double remaining) {
    Request request = Ask();
    request.resource = model;
    const Verdict verdict = guard.Ask(request, now);
    if (verdict.kind != Verdict::Kind::kAdmit) return false;
    guard.Sent(verdict.id, now);
    now += milliseconds(20);
    provider::Reading reading = Fixed(10, remaining, kStart + seconds(60));
    reading.resource = model;
    Answer(verdict.id, {reading});
    return true;
  };
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(ask("model-" + std::to_string(i), i < 99 ? 9 : 0)) << i;
  EXPECT_EQ(guard.View(now).limits.size(), 65U);
  EXPECT_FALSE(ask("model-99", 0)) << "it shares what the last of them said";
  EXPECT_TRUE(ask("model-3", 8)) << "it has a place of its own";
  now = kStart + seconds(120);
  EXPECT_TRUE(ask("new", 9)) << "one that is not needed any more makes room";
  EXPECT_TRUE(std::ranges::any_of(guard.View(now).limits,
                                  [](const LimitView& limit) { return limit.resource == "new"; }));
}

TEST_F(KeyGuardTest, TokensAreReservedAndSettled) {
  provider::Reading tokens;
  tokens.quota = "tokens";
  tokens.unit = "tokens";
  tokens.kind = provider::QuotaKind::kBucket;
  tokens.limit = 1000;
  tokens.remaining = 1000;
  tokens.window_seconds = 60;
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {tokens});
  Request large = Ask();
  large.tokens = {.input = 100, .output = 800, .counted = 900};
  const Verdict one = guard.Ask(large, now);
  ASSERT_EQ(one.kind, Verdict::Kind::kAdmit);
  EXPECT_EQ(guard.View(now).limits.at(0).reserved, 900);
  EXPECT_EQ(guard.Ask(large, now).kind, Verdict::Kind::kQueued);
  guard.Sent(one.id, now);
  now += milliseconds(100);
  guard.Settle(one.id, TokenCost{.input = 40, .output = 10, .counted = 50}, now);
  EXPECT_EQ(Advance().size(), 1U) << "it cost less than it might have";
}

}  // namespace
}  // namespace apiquota::guard
