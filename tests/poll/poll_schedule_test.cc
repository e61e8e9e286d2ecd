#include "poll/poll_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace apiquota::poll {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr apis::PollPlan kMinute{seconds(60), 0.1};
const SteadyTime kStart{std::chrono::hours(1000)};

PollTimes After(const PollOutcome& outcome, PollTimes times = {}, double roll = 0, Micros took = seconds(1)) {
  return NextPoll(kMinute, times, kStart, outcome, roll, kStart + took);
}

TEST(PollScheduleTest, OneTargetBeginsAtOnce) {
  EXPECT_EQ(FirstPoll(kMinute, 0, 1, kStart), (PollTimes{{}, kStart, 0, {}}));
}

TEST(PollScheduleTest, AFewTargetsFollowOneAnother) {
  EXPECT_EQ(FirstPoll(kMinute, 1, 5, kStart).due, kStart + milliseconds(100));
  EXPECT_EQ(FirstPoll(kMinute, 4, 5, kStart).due, kStart + milliseconds(400));
}

TEST(PollScheduleTest, AThousandTargetsAreSpreadOverTheInterval) {
  std::vector<SteadyTime> due;
  for (size_t i = 0; i < 1000; ++i) due.push_back(FirstPoll(kMinute, i, 1000, kStart).due);
  for (size_t i = 0; i < 1000; ++i) EXPECT_EQ(due[i], kStart + milliseconds(60) * i);
}

TEST(PollScheduleTest, TheNextPollCountsFromTheBeginningOfTheLast) {
  EXPECT_EQ(After({}), (PollTimes{kStart, kStart + seconds(60), 0, {}}));
}

TEST(PollScheduleTest, JitterOnlyMakesItLater) {
  EXPECT_EQ(After({}, {}, 0.5).due, kStart + seconds(63));
  EXPECT_LT(After({}, {}, 0.999999).due, kStart + seconds(66));
}

TEST(PollScheduleTest, APollThatTookLongerThanTheIntervalIsFollowedAtOnce) {
  EXPECT_EQ(After({}, {}, 0, seconds(200)).due, kStart + seconds(200));
}

TEST(PollScheduleTest, TheFirstFailureChangesNothing) {
  EXPECT_EQ(After({.failed = true, .wait = {}}), (PollTimes{kStart, kStart + seconds(60), 1, {}}));
}

TEST(PollScheduleTest, FailuresInARowDoubleTheIntervalUpToFiveMinutes) {
  PollTimes times;
  std::vector<Micros> intervals;
  for (int i = 0; i < 6; ++i) {
    times = After({.failed = true, .wait = {}}, times);
    intervals.push_back(std::chrono::duration_cast<Micros>(times.due - kStart));
  }
  EXPECT_EQ(intervals,
            (std::vector<Micros>{minutes(1), minutes(2), minutes(4), minutes(5), minutes(5), minutes(5)}));
  times.failures = 4'000'000'000U;
  EXPECT_EQ(After({.failed = true, .wait = {}}, times).due, kStart + minutes(5));
}

TEST(PollScheduleTest, AnIntervalBeyondTheBoundIsItsOwnBound) {
  const apis::PollPlan hourly{hours(1), 0};
  EXPECT_EQ(NextPoll(hourly, {{}, kStart, 7, {}}, kStart, {.failed = true, .wait = {}}, 0, kStart).due,
            kStart + hours(1));
}

TEST(PollScheduleTest, OneSuccessEndsTheBackOff) {
  EXPECT_EQ(After({}, {{}, kStart, 5, kStart}), (PollTimes{kStart, kStart + seconds(60), 0, {}}));
}

TEST(PollScheduleTest, RetryAfterCountsFromTheAnswer) {
  EXPECT_EQ(After({.failed = true, .wait = seconds(90)}),
            (PollTimes{kStart, kStart + seconds(91), 1, kStart + seconds(91)}));
}

TEST(PollScheduleTest, AShortRetryAfterMakesNothingSooner) {
  EXPECT_EQ(After({.failed = true, .wait = seconds(1)}).due, kStart + seconds(60));
  EXPECT_EQ(After({.failed = true, .wait = seconds(0)}).held_until, std::nullopt);
  EXPECT_EQ(After({.failed = true, .wait = seconds(-5)}).due, kStart + seconds(60));
}

TEST(PollScheduleTest, TheLongerOfWaitAndBackOffCounts) {
  const PollTimes failing{{}, kStart, 3, {}};
  EXPECT_EQ(After({.failed = true, .wait = seconds(90)}, failing).due, kStart + minutes(5));
  EXPECT_EQ(After({.failed = true, .wait = minutes(20)}, failing).due, kStart + seconds(1) + minutes(20));
}

TEST(PollScheduleTest, NobodyIsSilencedForLongerThanADay) {
  EXPECT_EQ(After({.failed = false, .wait = hours(9999)}).due, kStart + seconds(1) + hours(24));
}

TEST(PollScheduleTest, TargetsToldTheSameMomentDoNotReturnTogether) {
  EXPECT_EQ(After({.failed = false, .wait = minutes(10)}, {}, 0.5).due,
            kStart + seconds(1) + minutes(10) + seconds(3));
}

TEST(PollScheduleTest, AReloadThatChangesNothingKeepsTheSchedule) {
  const PollTimes times{kStart, kStart + seconds(63), 2, {}};
  EXPECT_EQ(Replan(kMinute, kMinute, times, kStart + seconds(10)), times);
}

TEST(PollScheduleTest, AShorterIntervalBringsTheNextPollForward) {
  const PollTimes times{kStart, kStart + seconds(63), 0, {}};
  EXPECT_EQ(Replan(kMinute, {seconds(20), 0}, times, kStart + seconds(10)).due, kStart + seconds(20));
  EXPECT_EQ(Replan(kMinute, {seconds(20), 0}, times, kStart + seconds(30)).due, kStart + seconds(30));
}

TEST(PollScheduleTest, ALongerIntervalHoldsFromTheLastPollOn) {
  const PollTimes times{kStart, kStart + seconds(63), 0, {}};
  EXPECT_EQ(Replan(kMinute, {minutes(10), 0}, times, kStart + seconds(10)).due, kStart + minutes(10));
}

TEST(PollScheduleTest, AReloadShortensNoWait) {
  const PollTimes times{kStart, kStart + minutes(30), 1, kStart + minutes(30)};
  EXPECT_EQ(Replan(kMinute, {seconds(5), 0}, times, kStart + seconds(10)).due, kStart + minutes(30));
}

TEST(PollScheduleTest, WhatWasNeverPolledStaysWhereItIs) {
  const PollTimes first{{}, kStart + seconds(7), 0, {}};
  EXPECT_EQ(Replan(kMinute, {seconds(5), 0}, first, kStart), first);
}

// Whatever happens and is configured: no two polls of a target begin closer than the interval in force, and
// none begins while the API has asked to be left alone.
TEST(PollScheduleTest, AnyHistoryKeepsItsDistance) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> roll(0, 1);
  for (int run = 0; run < 200; ++run) {
    apis::PollPlan plan{seconds(1 + random() % 600), roll(random) / 2};
    PollTimes times = FirstPoll(plan, random() % 100, 100, kStart);
    std::optional<SteadyTime> last;
    std::optional<SteadyTime> held;
    for (int step = 0; step < 200; ++step) {
      const SteadyTime began = times.due;
      if (last) {
        ASSERT_GE(began - *last, plan.every);
      }
      if (held) {
        ASSERT_GE(began, *held);
      }
      const SteadyTime ended = began + milliseconds(random() % 900'000);
      PollOutcome outcome{.failed = random() % 2 == 0, .wait = {}};
      if (random() % 4 == 0) outcome.wait = milliseconds(random() % 2'000'000);
      times = NextPoll(plan, times, began, outcome, roll(random), ended);
      last = began;
      held = outcome.wait ? std::optional(ended + *outcome.wait) : std::nullopt;
      if (random() % 8 == 0) {
        const apis::PollPlan other{seconds(1 + random() % 600), roll(random) / 2};
        times = Replan(plan, other, times, ended);
        plan = other;
      }
    }
  }
}

}  // namespace
}  // namespace apiquota::poll
