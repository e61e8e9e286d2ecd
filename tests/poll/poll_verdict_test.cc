#include "poll/poll_verdict.h"

#include <gtest/gtest.h>

namespace apiquota::poll {
namespace {

using std::chrono::seconds;

const SystemTime kNow{seconds(1'700'000'000)};

provider::Reading Left(double remaining, std::optional<SystemTime> reset = std::nullopt) {
  provider::Reading reading;
  reading.remaining = remaining;
  reading.reset_at = reset;
  return reading;
}

provider::Signals Throttle(std::optional<double> retry_after = std::nullopt) {
  provider::Signals signals;
  signals.throttle =
      provider::Throttle{provider::ThrottleScope::kPrimary, provider::ThrottleSignal::kStatus, ""};
  signals.retry_after_seconds = retry_after;
  return signals;
}

std::string Text(const PollVerdict& verdict) {
  return std::string(verdict.result) + (verdict.success ? " success" : " failure") +
         (verdict.outcome.failed ? " backs off" : "") +
         (verdict.outcome.wait ? " waits " + std::to_string(verdict.outcome.wait->count() / 1000) + " ms"
                               : "") +
         (verdict.reason.empty() ? "" : ": " + verdict.reason);
}

TEST(PollVerdictTest, AnAnswerThatSaysWhatIsLeftIsASuccess) {
  provider::Signals signals;
  signals.readings = {Left(5)};
  EXPECT_EQ(Text(JudgeAnswer(200, signals, kNow)), "ok success");
}

TEST(PollVerdictTest, AnAnswerThatSaysNothingIsOneWithARemark) {
  EXPECT_EQ(Text(JudgeAnswer(204, {}, kNow)), "silent success: the answer says nothing about limits");
}

TEST(PollVerdictTest, RetryAfterOnAGoodAnswerIsNoReasonToWait) {
  provider::Signals signals;
  signals.readings = {Left(0, kNow + seconds(60))};
  signals.retry_after_seconds = 60;
  EXPECT_EQ(Text(JudgeAnswer(200, signals, kNow)), "ok success");
}

TEST(PollVerdictTest, AThrottleWithoutNumbersFailsAndBacksOff) {
  EXPECT_EQ(Text(JudgeAnswer(429, Throttle(), kNow)),
            "throttled failure backs off: the API throttles the agent's polls (scope primary)");
}

TEST(PollVerdictTest, AThrottleThatSaysWhenIsObeyed) {
  EXPECT_EQ(
      Text(JudgeAnswer(429, Throttle(90), kNow)),
      "throttled failure backs off waits 90000 ms: the API throttles the agent's polls (scope primary), and "
      "asks to wait 1m30s");
}

TEST(PollVerdictTest, AThrottleThatSaysWhatIsLeftIsASuccess) {
  provider::Signals signals = Throttle(2.5);
  signals.readings = {Left(0)};
  EXPECT_EQ(Text(JudgeAnswer(429, signals, kNow)),
            "throttled success waits 2500 ms: the API throttles the agent's polls (scope primary), and asks "
            "to wait "
            "2s500ms");
}

TEST(PollVerdictTest, WithoutRetryAfterTheFirstResetOfWhatIsExhaustedCounts) {
  provider::Signals signals = Throttle();
  signals.readings = {Left(3, kNow + seconds(1)), Left(0, kNow + seconds(40)), Left(0, kNow + seconds(20)),
                      Left(0, kNow - seconds(5)), Left(0)};
  EXPECT_EQ(JudgeAnswer(429, signals, kNow).outcome.wait, seconds(20));
}

TEST(PollVerdictTest, OtherStatusesAreToldApart) {
  EXPECT_EQ(Text(JudgeAnswer(401, {}, kNow)),
            "rejected failure backs off: the API rejects the credential (401)");
  EXPECT_EQ(Text(JudgeAnswer(403, {}, kNow)),
            "rejected failure backs off: the API rejects the credential (403)");
  EXPECT_EQ(Text(JudgeAnswer(500, {}, kNow)), "status failure backs off: the API answered 500");
  EXPECT_EQ(Text(JudgeAnswer(302, {}, kNow)),
            "status failure backs off: the API answered 302; redirects are not followed");
  provider::Signals busy;
  busy.retry_after_seconds = 7;
  EXPECT_EQ(Text(JudgeAnswer(503, busy, kNow)),
            "status failure backs off waits 7000 ms: the API answered 503");
}

TEST(PollVerdictTest, AFailureKeepsItsReason) {
  EXPECT_EQ(Text(JudgeFailure(ToUpstreamError(net::ClientError::kCertificate))),
            "tls_certificate failure backs off: the upstream's certificate can't be trusted");
  EXPECT_EQ(JudgeFailure(ToUpstreamError(net::ClientError::kForbidden)).result, "address_forbidden");
  EXPECT_EQ(JudgeFailure(ToUpstreamError(net::ClientError::kLocalLimit)).result, "local_descriptors");
  EXPECT_EQ(JudgeFailure(ToUpstreamError(net::ClientError::kUnreachable)).result, "unreachable");
}

}  // namespace
}  // namespace apiquota::poll
