#include "guard/cooldown.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace apiquota::guard {
namespace {

using provider::ThrottleScope;
using provider::ThrottleSignal;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const SystemTime kStart{seconds(1'750'000'000)};
constexpr double kYear = 365.0 * 86400;

// One key's cooldown, and an API's answers to it.
struct World {
  Cooldown cooldown;
  CooldownOptions options;
  SystemTime now = kStart;

  void Refuse(std::optional<double> retry_after, SystemTime sent_at,
              ThrottleSignal signal = ThrottleSignal::kStatus, ThrottleScope scope = ThrottleScope::kPrimary,
              std::optional<Micros> window = std::nullopt,
              std::optional<SystemTime> admitted_at = std::nullopt) {
    const provider::Throttle throttle{scope, signal, ""};
    Answer answer;
    answer.status = 429;
    answer.received_at = now;
    answer.throttle = &throttle;
    answer.retry_after_seconds = retry_after;
    cooldown.Refused(answer, {admitted_at.value_or(sent_at), sent_at}, std::nullopt, window, 0, now);
  }
  void RefuseAtZero(std::optional<SystemTime> reset, SystemTime sent_at,
                    std::optional<double> retry_after = std::nullopt) {
    std::vector<provider::Reading> readings(2);
    readings[0].quota = "requests";
    readings[0].remaining = 7;
    readings[1].quota = "tokens";
    readings[1].remaining = 0;
    const provider::Throttle throttle;
    Answer answer;
    answer.status = 429;
    answer.received_at = now;
    answer.throttle = &throttle;
    answer.readings = readings;
    answer.retry_after_seconds = retry_after;
    cooldown.Refused(answer, {sent_at, sent_at}, reset, std::nullopt, 0, now);
  }
  Micros Wait() const { return std::max(cooldown.Until(now) - now, Micros(0)); }
};

TEST(CooldownTest, ABareRefusalStopsNobodyElse) {
  World world;
  world.Refuse(std::nullopt, world.now);
  EXPECT_EQ(world.Wait(), Micros(0));
  world.now += milliseconds(1001);
  world.Refuse(std::nullopt, world.now);
  EXPECT_EQ(world.Wait(), Micros(0));
}

TEST(CooldownTest, BareRefusalsBetweenWhichOthersAreServedNeverCool) {
  World world;
  for (int i = 0; i < 50; ++i) {
    world.Refuse(std::nullopt, world.now);
    EXPECT_EQ(world.Wait(), Micros(0));
    world.now += milliseconds(10);
    world.cooldown.Served(world.now - milliseconds(5), world.now);
  }
}

TEST(CooldownTest, RefusalsWithoutEvidenceNeverCoolForMoreThanHalfAMinute) {
  World world;
  world.Refuse(std::nullopt, world.now);
  world.now += milliseconds(900);
  for (const int expected : {1, 2, 4, 8, 16, 30, 30}) {
    world.Refuse(std::nullopt, world.now);
    EXPECT_EQ(world.Wait(), seconds(expected));
    EXPECT_EQ(world.cooldown.reason(), Reason::kCooldown);
    world.now = world.cooldown.Until(world.now);
    EXPECT_TRUE(world.cooldown.TakeProbe(world.now));
    world.now += milliseconds(100);
  }
}

TEST(CooldownTest, OneBurstOfRefusalsDoublesNothing) {
  World world;
  const SystemTime sent_at = world.now;
  for (int i = 0; i < 20; ++i) {
    world.now += milliseconds(10);
    world.Refuse(std::nullopt, sent_at);
  }
  EXPECT_LE(world.Wait(), seconds(1));
  world.now += minutes(2);
  EXPECT_TRUE(world.cooldown.idle(world.now));
}

// Those whose connections were made while the first were refused.
TEST(CooldownTest, ABurstOfWhichSomeAreSentLaterDoublesNothingEither) {
  World world;
  const SystemTime admitted_at = world.now;
  for (int i = 0; i < 20; ++i) {
    world.now += milliseconds(10);
    world.Refuse(std::nullopt, world.now - milliseconds(5), ThrottleSignal::kStatus, ThrottleScope::kPrimary,
                 std::nullopt, admitted_at);
  }
  EXPECT_LE(world.Wait(), seconds(1));
}

TEST(CooldownTest, SpentMoneyIsNoReasonToWait) {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.Refuse(3600, world.now, ThrottleSignal::kBody, ThrottleScope::kSpend);
    EXPECT_FALSE(world.cooldown.active(world.now));
  }
}

TEST(CooldownTest, RetryAfterIsKeptToAndNeverCutShortByJitter) {
  for (const double random : {0.0, 0.5, 1.0}) {
    Cooldown cooldown;
    Answer answer;
    answer.received_at = kStart;
    answer.retry_after_seconds = 20;
    cooldown.Refused(answer, {kStart, kStart}, std::nullopt, std::nullopt, random, kStart);
    EXPECT_GE(cooldown.Until(kStart), kStart + seconds(20));
    EXPECT_LE(cooldown.Until(kStart), kStart + seconds(21));
    EXPECT_EQ(cooldown.evidence(), "retry-after");
    EXPECT_EQ(cooldown.reason(), Reason::kRetryAfter);
  }
}

TEST(CooldownTest, NonsenseInRetryAfterIsNoEvidence) {
  for (const double nonsense :
       {-1.0, 0.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    World world;
    world.Refuse(nonsense, world.now);
    EXPECT_EQ(world.Wait(), Micros(0)) << nonsense;
  }
}

TEST(CooldownTest, AQuotaAtZeroCoolsUntilItsResetAndNoLongerThanItIs) {
  World world;
  world.RefuseAtZero(world.now + seconds(40), world.now);
  EXPECT_EQ(world.Wait(), seconds(40));
  EXPECT_EQ(world.cooldown.evidence(), "quota tokens at 0");
  world.now += seconds(1);
  world.cooldown.Left("requests", world.now, world.now);
  EXPECT_EQ(world.Wait(), seconds(39)) << "another quota's word";
  world.cooldown.Left("tokens", kStart, world.now);
  EXPECT_EQ(world.Wait(), seconds(39)) << "older than the refusal";
  world.cooldown.Left("tokens", world.now, world.now);
  EXPECT_EQ(world.Wait(), Micros(0));
}

TEST(CooldownTest, AQuotaWithSomethingLeftDoesNotEndARetryAfter) {
  World world;
  world.Refuse(30, world.now);
  world.now += seconds(1);
  world.cooldown.Left("requests", world.now, world.now);
  EXPECT_EQ(world.Wait(), seconds(29));
}

TEST(CooldownTest, ARetryAfterForAQuotaEndsWhenTheQuotaHasSomethingLeft) {
  World world;
  world.RefuseAtZero(std::nullopt, world.now, kYear);
  world.now += seconds(1);
  world.cooldown.Left("tokens", world.now, world.now);
  EXPECT_EQ(world.Wait(), Micros(0));
}

TEST(CooldownTest, AQuotaAtZeroWithoutAResetCoolsForASecond) {
  World world;
  world.RefuseAtZero(std::nullopt, world.now);
  EXPECT_EQ(world.Wait(), seconds(1));
}

TEST(CooldownTest, ARefusalThatABodyOrAHeaderTellsCoolsAtOnce) {
  for (const ThrottleSignal signal :
       {ThrottleSignal::kHeader, ThrottleSignal::kBody, ThrottleSignal::kStream}) {
    World world;
    world.Refuse(std::nullopt, world.now, signal);
    EXPECT_EQ(world.Wait(), seconds(1));
  }
}

TEST(CooldownTest, OnlyANewerRequestsSuccessEndsIt) {
  World world;
  world.Refuse(60, kStart);
  world.now += seconds(2);
  world.cooldown.Served(kStart - milliseconds(1), world.now);
  world.cooldown.Served(kStart, world.now);
  EXPECT_EQ(world.Wait(), seconds(58));
  world.cooldown.Served(kStart + milliseconds(1), world.now);
  EXPECT_EQ(world.Wait(), Micros(0));
  EXPECT_FALSE(world.cooldown.TakeProbe(world.now)) << "nothing is left to be tried";
}

TEST(CooldownTest, ANewerRefusalShortensItAndAnOlderOneDoesNot) {
  World world;
  world.Refuse(600, kStart);
  world.now += seconds(1);
  world.Refuse(5, kStart - seconds(1));
  EXPECT_EQ(world.Wait(), seconds(599));
  world.Refuse(5, kStart + milliseconds(500));
  EXPECT_EQ(world.Wait(), seconds(5));
}

TEST(CooldownTest, AtItsEndOneProbeGoesAndNobodyBesideIt) {
  World world;
  world.Refuse(10, world.now);
  world.now += seconds(10);
  EXPECT_FALSE(world.cooldown.active(world.now));
  EXPECT_TRUE(world.cooldown.TakeProbe(world.now));
  EXPECT_FALSE(world.cooldown.TakeProbe(world.now));
  EXPECT_EQ(world.Wait(), seconds(2));
  world.now += milliseconds(300);
  EXPECT_TRUE(world.cooldown.active(world.now));
  world.cooldown.ProbeAnswered(world.now);
  EXPECT_FALSE(world.cooldown.active(world.now));
  EXPECT_FALSE(world.cooldown.TakeProbe(world.now)) << "spent, whatever came back";
  EXPECT_EQ(world.cooldown.probes(), 1U);
}

TEST(CooldownTest, AProbeThatIsNotAnsweredHoldsNobodyForMoreThanTwoSeconds) {
  World world;
  world.Refuse(10, world.now);
  world.now += seconds(15);
  ASSERT_TRUE(world.cooldown.TakeProbe(world.now));
  world.now += seconds(2);
  EXPECT_FALSE(world.cooldown.active(world.now));
  EXPECT_FALSE(world.cooldown.TakeProbe(world.now));
}

TEST(CooldownTest, ARefusedProbeBringsANewLapseWithItsOwnProbe) {
  World world;
  world.Refuse(10, world.now);
  world.now += seconds(10);
  ASSERT_TRUE(world.cooldown.TakeProbe(world.now));
  const SystemTime sent_at = world.now;
  world.now += milliseconds(50);
  world.Refuse(3, sent_at);
  world.cooldown.ProbeAnswered(world.now);
  EXPECT_EQ(world.Wait(), seconds(3));
  world.now += seconds(3);
  EXPECT_TRUE(world.cooldown.TakeProbe(world.now));
}

TEST(CooldownTest, ARetryAfterOfAYearBlocksNothingForMoreThanFiveMinutes) {
  World world;
  world.Refuse(kYear, world.now);
  EXPECT_FALSE(world.cooldown.ProbeDue(world.options, world.now));
  EXPECT_EQ(world.cooldown.NextProbe(world.options, world.now), kStart + minutes(5));
  world.now += minutes(5);
  ASSERT_TRUE(world.cooldown.ProbeDue(world.options, world.now));
  ASSERT_TRUE(world.cooldown.TakeProbe(world.now));
  EXPECT_FALSE(world.cooldown.ProbeDue(world.options, world.now));
  EXPECT_EQ(world.cooldown.NextProbe(world.options, world.now), kStart + minutes(10));
  const SystemTime sent_at = world.now;
  world.now += milliseconds(200);
  world.cooldown.Served(sent_at, world.now);
  world.cooldown.ProbeAnswered(world.now);
  EXPECT_FALSE(world.cooldown.active(world.now));
}

TEST(CooldownTest, PollsThatAreRefusedForAYearDoNotPutOffTheProbe) {
  World world;
  world.Refuse(kYear, world.now);
  for (int minute = 1; minute <= 5; ++minute) {
    world.now += minutes(1);
    world.Refuse(kYear, world.now);
  }
  EXPECT_TRUE(world.cooldown.ProbeDue(world.options, world.now));
}

TEST(CooldownTest, AWaitWithinOneAndAHalfWindowsIsBelieved) {
  World world;
  const std::optional<Micros> hour = std::chrono::hours(1);
  world.Refuse(3600, world.now, ThrottleSignal::kStatus, ThrottleScope::kPrimary, hour);
  EXPECT_EQ(world.cooldown.NextProbe(world.options, world.now), std::nullopt);
  world.Refuse(5400, world.now, ThrottleSignal::kStatus, ThrottleScope::kPrimary, hour);
  EXPECT_EQ(world.cooldown.NextProbe(world.options, world.now), std::nullopt);
  world.now += seconds(1);
  world.Refuse(7200, world.now, ThrottleSignal::kStatus, ThrottleScope::kPrimary, hour);
  EXPECT_NE(world.cooldown.NextProbe(world.options, world.now), std::nullopt);
}

}  // namespace
}  // namespace apiquota::guard
