#include "guard/retry.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = RetryVerdict::Kind;

const SystemTime kStart{seconds(1'750'000'000)};

RetryAsk Ask(RetryCause cause, int attempts = 1, SystemTime deadline = kStart + seconds(3600)) {
  RetryAsk ask;
  ask.cause = cause;
  ask.attempts = attempts;
  ask.repeatable = true;
  ask.deadline = deadline;
  return ask;
}

TEST(RetriesTest, AThrottledPostGoesAgainAndAFailedOneDoesNot) {
  for (const RetryCause cause : {RetryCause::kThrottle, RetryCause::kUnsent, RetryCause::kTransient}) {
    Retries retries;
    RetryAsk ask = Ask(cause);
    ask.repeatable = false;
    EXPECT_EQ(retries.Decide(ask, {}, 0, kStart).kind,
              cause == RetryCause::kTransient ? Kind::kNotRepeatable : Kind::kRetry);
  }
}

TEST(RetriesTest, NoCauseGetsMoreAttemptsThanThereAre) {
  for (const RetryCause cause : {RetryCause::kThrottle, RetryCause::kUnsent, RetryCause::kTransient}) {
    Retries retries;
    EXPECT_EQ(retries.Decide(Ask(cause, 2), {}, 0, kStart).kind, Kind::kRetry);
    EXPECT_EQ(retries.Decide(Ask(cause, 3), {}, 0, kStart).kind, Kind::kAttempts);
  }
}

TEST(RetriesTest, ABodyThatIsNotKeptIsNotSentAgain) {
  Retries retries;
  RetryAsk ask = Ask(RetryCause::kThrottle);
  ask.body_kept = false;
  EXPECT_EQ(retries.Decide(ask, {}, 0, kStart).kind, Kind::kBodyNotKept);
}

TEST(RetriesTest, SwitchedOffNothingGoesAgain) {
  Retries retries;
  RetryOptions options;
  options.mode = Mode::kOff;
  EXPECT_EQ(retries.Decide(Ask(RetryCause::kUnsent), options, 0, kStart).kind, Kind::kOff);
}

TEST(RetriesTest, WaitsDoubleFromTheirBaseAndJitterOnlyAdds) {
  RetryOptions options;
  options.attempts = 10;
  for (const auto& [cause, base] : {std::pair(RetryCause::kThrottle, Micros(seconds(1))),
                                    std::pair(RetryCause::kTransient, Micros(milliseconds(50)))}) {
    Retries retries;
    for (int attempts = 1; attempts <= 3; ++attempts) {
      const Micros least = base * (1 << (attempts - 1));
      EXPECT_EQ(retries.Decide(Ask(cause, attempts), options, 0, kStart).not_before, kStart + least);
    }
    const Micros most = retries.Decide(Ask(RetryCause::kThrottle, 4), options, 1, kStart).not_before - kStart;
    EXPECT_EQ(most, seconds(16));
  }
}

TEST(RetriesTest, RetryAfterIsNeverCutShort) {
  Retries retries;
  RetryAsk ask = Ask(RetryCause::kThrottle);
  ask.retry_after_seconds = 12.5;
  EXPECT_EQ(retries.Decide(ask, {}, 0, kStart).not_before, kStart + milliseconds(12500));
  EXPECT_GE(retries.Decide(ask, {}, 1, kStart).not_before, kStart + milliseconds(12500));
  ask.retry_after_seconds = 0;
  EXPECT_EQ(retries.Decide(ask, {}, 0, kStart).not_before, kStart + seconds(1)) << "0 is no time at all";
}

TEST(RetriesTest, AbsurdWaitsEndInTheTruthAndNotInAWait) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double absurd : {-1.0, kNan, kInfinity, 365.0 * 86400, 1e300}) {
    Retries retries;
    RetryAsk ask = Ask(RetryCause::kThrottle);
    ask.retry_after_seconds = absurd;
    EXPECT_EQ(retries.Decide(ask, {}, 0.5, kStart).kind, Kind::kDeadline) << absurd;
  }
}

TEST(RetriesTest, NoWaitReachesItsDeadline) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> share(0, 1);
  RetryOptions options;
  options.attempts = 8;
  for (int i = 0; i < 20'000; ++i) {
    Retries retries;
    RetryAsk ask = Ask(static_cast<RetryCause>(random() % 3), static_cast<int>(random() % 9));
    ask.deadline = kStart + Micros(static_cast<int64_t>(share(random) * 5e6) - 100'000);
    if (random() % 2 == 0) ask.retry_after_seconds = share(random) * 6;
    const RetryVerdict verdict = retries.Decide(ask, options, share(random), kStart);
    if (verdict.kind != Kind::kRetry) continue;
    ASSERT_LT(verdict.not_before, ask.deadline);
    ASSERT_GE(verdict.not_before, kStart + SecondsToMicros(ask.retry_after_seconds.value_or(0)));
  }
}

TEST(RetriesTest, ThrottlesAndUnsentRequestsSpendNoBudget) {
  Retries retries;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(retries.Decide(Ask(RetryCause::kThrottle), {}, 0, kStart).kind, Kind::kRetry);
    EXPECT_EQ(retries.Decide(Ask(RetryCause::kUnsent), {}, 0, kStart).kind, Kind::kRetry);
  }
  EXPECT_EQ(retries.Decide(Ask(RetryCause::kTransient), {}, 0, kStart).kind, Kind::kRetry);
}

TEST(RetriesTest, FailuresNeverAddMoreThanTheirShareOrThreeASecond) {
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
    std::mt19937_64 random(seed);
    Retries retries;
    const RetryOptions options;
    const Micros gap(1'000'000 / (1 + random() % 400));
    uint64_t requests = 0;
    uint64_t repeated = 0;
    SystemTime now = kStart;
    for (; now < kStart + seconds(120); now += gap) {
      retries.Requested(options, now);
      ++requests;
      for (int attempts = 1; attempts < options.attempts; ++attempts) {
        const RetryAsk ask = Ask(RetryCause::kTransient, attempts, now + seconds(60));
        if (retries.Decide(ask, options, 0, now).kind == Kind::kRetry) ++repeated;
      }
    }
    const double floor = 3 * (ToSeconds(now - kStart) + 1);
    EXPECT_LE(static_cast<double>(repeated), 0.2 * static_cast<double>(requests) + floor) << seed;
    EXPECT_GE(static_cast<double>(repeated), 0.19 * static_cast<double>(requests)) << seed;
  }
}

TEST(RetryBudgetTest, CreditsAreGoneAfterTenSeconds) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.Deposit(0.2, kStart);
  int now = 0;
  while (budget.Withdraw(kStart + seconds(9)) && now < 1000) ++now;
  EXPECT_EQ(now, 200);
  RetryBudget late;
  for (int i = 0; i < 1000; ++i) late.Deposit(0.2, kStart);
  now = 0;
  while (late.Withdraw(kStart + seconds(12)) && now < 1000) ++now;
  EXPECT_EQ(now, 3);
}

TEST(RetryBudgetTest, AQuietApiStillHasThreeASecondAndNoMore) {
  RetryBudget budget;
  for (int second = 0; second < 30; ++second) {
    int had = 0;
    while (budget.Withdraw(kStart + seconds(second)) && had < 100) ++had;
    EXPECT_EQ(had, 3);
  }
}

TEST(ClientTimeoutTest, SecondsAndTheFormOfGrpcAreRead) {
  EXPECT_EQ(ClientTimeout("x-stainless-timeout", "600"), seconds(600));
  EXPECT_EQ(ClientTimeout("x-stainless-read-timeout", " 2.5 "), milliseconds(2500));
  EXPECT_EQ(ClientTimeout("my-deadline", "0.25"), milliseconds(250));
  EXPECT_EQ(ClientTimeout("grpc-timeout", "5S"), seconds(5));
  EXPECT_EQ(ClientTimeout("Grpc-Timeout", "100m"), milliseconds(100));
  EXPECT_EQ(ClientTimeout("grpc-timeout", "2H"), std::chrono::hours(2));
  EXPECT_EQ(ClientTimeout("grpc-timeout", "3M"), std::chrono::minutes(3));
  EXPECT_EQ(ClientTimeout("grpc-timeout", "1500u"), Micros(1500));
  EXPECT_EQ(ClientTimeout("grpc-timeout", "1n"), Micros(1));
}

TEST(ClientTimeoutTest, GarbageAndNoTimeAtAllAreNoTimeout) {
  for (const char* garbage : {"", "0", "0.0", "-5", "None", "5s", "nan", "inf", "1e3", "12 34", "5S"}) {
    EXPECT_EQ(ClientTimeout("x-stainless-timeout", garbage), std::nullopt) << garbage;
  }
  for (const char* garbage : {"", "S", "0S", "-5S", "5", "5s", "123456789S", "1.5S", "5 S", "5X"}) {
    EXPECT_EQ(ClientTimeout("grpc-timeout", garbage), std::nullopt) << garbage;
  }
}

TEST(ClientTimeoutTest, AnEndlessTimeoutDoesNotOverflow) {
  const std::optional<Micros> timeout = ClientTimeout("x-stainless-timeout", "999999999999999999999");
  ASSERT_TRUE(timeout);
  EXPECT_EQ(DeadlineFor(timeout, {}, std::nullopt, kStart), kStart + seconds(65));
}

TEST(DeadlineTest, NoWaitTakesTheTimeThatTheAnswerNeeds) {
  const QueueOptions options;
  EXPECT_EQ(DeadlineFor(std::nullopt, options, seconds(9), kStart), kStart + seconds(65));
  EXPECT_EQ(DeadlineFor(seconds(10), options, std::nullopt, kStart), kStart + seconds(5));
  EXPECT_EQ(DeadlineFor(seconds(10), options, seconds(2), kStart), kStart + seconds(5));
  EXPECT_EQ(DeadlineFor(seconds(10), options, seconds(7), kStart), kStart + seconds(3));
  EXPECT_EQ(DeadlineFor(seconds(10), options, seconds(12), kStart), kStart);
  EXPECT_EQ(DeadlineFor(seconds(600), options, seconds(7), kStart), kStart + seconds(65));
}

}  // namespace
}  // namespace apiquota::guard
