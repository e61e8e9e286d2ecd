// One key's guard between its questions and their answers, in virtual time.
#include "guard/key_guard.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/guard/key_guard_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(KeyGuardTest, NothingKnownLetsTenGoAndDelaysTheRest) {
  for (int i = 0; i < 10; ++i) Send();
  const Verdict eleventh = guard.Ask(Ask(milliseconds(10)), now);
  EXPECT_EQ(eleventh.kind, Verdict::Kind::kQueued) << "a cold key delays, and never refuses";
  EXPECT_TRUE(Advance().empty());
  now += seconds(2);
  EXPECT_EQ(Advance().size(), 1U) << "unanswered for two seconds counts as good";
}

TEST_F(KeyGuardTest, AFirstAnswerWithoutAnyLimitOpensTheKey) {
  std::vector<Id> tickets;
  for (int i = 0; i < 10; ++i) tickets.push_back(Send());
  EXPECT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued);
  now += milliseconds(50);
  Answer(tickets[0], {});
  EXPECT_EQ(Advance().size(), 1U);
  for (int i = 0; i < 100; ++i) Send();
}

TEST_F(KeyGuardTest, AFixedQuotaIsNotOverrunAndItsWaitersGoAfterTheReset) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(5, 4, kStart + seconds(60))});
  for (int i = 0; i < 4; ++i) Send();
  const Verdict fifth = guard.Ask(Ask(), now);
  ASSERT_EQ(fifth.kind, Verdict::Kind::kQueued);
  EXPECT_EQ(fifth.reason, Reason::kPace);
  EXPECT_EQ(fifth.quota, "requests");
  now = kStart + seconds(60);
  EXPECT_TRUE(Advance().empty()) << "not before the reset is sure to have passed";
  const auto next = guard.NextAt(now);
  ASSERT_TRUE(next);
  EXPECT_LE(*next, kStart + seconds(64));
  now = *next;
  const auto grants = Advance();
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].waiter, fifth.id);
  EXPECT_NE(grants[0].ticket, 0U);
  EXPECT_GE(grants[0].waited, seconds(59));
}

TEST_F(KeyGuardTest, AWaitThatCantEndInTimeIsRefusedAtOnceWithTheTruth) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(5, 0, kStart + seconds(60))});
  const Verdict verdict = guard.Ask(Ask(seconds(1)), now);
  ASSERT_EQ(verdict.kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(verdict.refusal->quota, "requests");
  EXPECT_EQ(verdict.refusal->limit, 5);
  EXPECT_GE(verdict.refusal->until, kStart + seconds(60));
  EXPECT_LE(verdict.refusal->until, kStart + seconds(64));
}

TEST_F(KeyGuardTest, ARefusalHasTakenNothing) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(5, 0, kStart + seconds(60))});
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(guard.Ask(Ask(seconds(1)), now).kind, Verdict::Kind::kRefuse);
  }
  now = kStart + seconds(65);
  for (int i = 0; i < 5; ++i) Send();
}

TEST_F(KeyGuardTest, OneBareThrottleHoldsNobodyElse) {
  const Id first = Send();
  const Id second = Send();
  now += milliseconds(20);
  Answer(first, {}, 429, &bare);
  Send();
  now += milliseconds(20);
  Answer(second, {}, 429, &bare);
  EXPECT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kQueued) << "two within a second are evidence";
}

TEST_F(KeyGuardTest, ARetryAfterHoldsTheOthers) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {}, 429, &bare, 3.0);
  const Verdict other = guard.Ask(Ask(), now);
  EXPECT_EQ(other.kind, Verdict::Kind::kQueued);
  EXPECT_EQ(other.reason, Reason::kRetryAfter);
  now += milliseconds(2900);
  EXPECT_TRUE(Advance().empty());
}

TEST_F(KeyGuardTest, ARetryAfterOfAYearLetsOneThroughEveryFiveMinutes) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {}, 429, &bare, 365.0 * 86400);
  EXPECT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kRefuse);
  now += minutes(5) + seconds(5);
  const Id probe = Send();
  EXPECT_NE(guard.Ask(Ask(seconds(1)), now).kind, Verdict::Kind::kAdmit) << "one probe at a time";
  now += milliseconds(50);
  Answer(probe, {});
  Advance();
  now += seconds(3);
  Send();
}

TEST_F(KeyGuardTest, OneWrongReadingBlocksNoLongerThanAProbe) {
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {Fixed(5, 0, kStart + hours(24 * 300))});
  EXPECT_EQ(guard.Ask(Ask(), now).kind, Verdict::Kind::kRefuse);
  now += minutes(5) + seconds(5);
  const Id probe = Send();
  now += milliseconds(50);
  Answer(probe, {Fixed(5, 4, now + seconds(60))});
  Send();
}

TEST_F(KeyGuardTest, SpendIsNeverCooled) {
  const provider::Throttle spend{provider::ThrottleScope::kSpend, provider::ThrottleSignal::kBody, ""};
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {}, 429, &spend, 3600.0);
  Send();
}

TEST_F(KeyGuardTest, AUnifiedRatioBelowItsFullUseIsNotPaced) {
  provider::Reading ratio;
  ratio.quota = "unified-5h";
  ratio.unit = "ratio";
  ratio.kind = provider::QuotaKind::kFixed;
  ratio.limit = 1;
  ratio.used = 0.3;
  ratio.remaining = 0.7;
  ratio.reset_at = kStart + hours(3);
  const Id first = Send();
  now += milliseconds(20);
  Answer(first, {ratio});
  for (int i = 0; i < 50; ++i) Send();
}

TEST_F(KeyGuardTest, WhatLeftAWindowBeforeAReadingHasNotLeftItSince) {
  const auto sliding = [&](double remaining) {
    provider::Reading reading = Fixed(10, remaining, now + std::chrono::seconds(60));
    reading.kind = provider::QuotaKind::kSliding;
    return reading;
  };
  for (int i = 9; i >= 4; --i) Answer(Send(), {sliding(i)});
  now += std::chrono::seconds(59);
  const Id late = Send();
  now += std::chrono::seconds(6);
  Answer(late, {sliding(1)});  // others took the six that came back
  Send();
  EXPECT_EQ(guard.Ask(Ask(std::chrono::seconds(1)), now).kind, Verdict::Kind::kRefuse);
}

TEST_F(KeyGuardTest, WhatIsRefusedEarnsNoRetry) {
  Answer(Send(), {Fixed(1, 0, now + std::chrono::seconds(60))});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(guard.Ask(Ask(std::chrono::seconds(1)), now).kind, Verdict::Kind::kRefuse);
  }
  int retries = 0;
  const RetryAsk ask{.cause = RetryCause::kTransient,
                     .attempts = 1,
                     .repeatable = true,
                     .body_kept = true,
                     .retry_after_seconds = std::nullopt,
                     .deadline = now + std::chrono::seconds(60)};
  while (guard.AskRetry(ask, now).kind == RetryVerdict::Kind::kRetry && retries < 100) ++retries;
  EXPECT_EQ(retries, 3);
}

TEST_F(KeyGuardTest, WhatWasAnsweredBeforeASendWasNotedNeedNotBeInItsReading) {
  const SystemTime reset = now + std::chrono::seconds(60);
  Answer(Send(), {Fixed(10, 3, reset)});
  const Id first = Send();
  const Id late = guard.Ask(Ask(), now).id;  // it is on its way, and whoever sent it is held up
  now += milliseconds(5);
  Answer(first, {Fixed(10, 1, reset)});
  now += milliseconds(5);
  guard.Sent(late, now);
  now += milliseconds(5);
  Answer(late, {Fixed(10, 2, reset)});  // the API counted it before the other
  Send();
  EXPECT_NE(guard.Ask(Ask(), now).kind, Verdict::Kind::kAdmit);
}

}  // namespace
}  // namespace apiquota::guard
