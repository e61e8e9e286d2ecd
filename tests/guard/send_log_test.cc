#include "guard/send_log.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Micros kWindow = seconds(60);

struct Sent {
  SystemTime at;
  double cost = 0;
};

// The most that was sent in any window, by looking at each.
double MostInAnyWindow(const std::vector<Sent>& sent) {
  double most = 0, sum = 0;
  size_t first = 0;
  for (const Sent& each : sent) {
    sum += each.cost;
    while (sent[first].at + kWindow <= each.at) sum -= sent[first++].cost;
    most = std::max(most, sum);
  }
  return most;
}

TEST(SendLogTest, TheSendThatMakesRoomTellsWhen) {
  SendLog log;
  for (int i = 0; i < 5; ++i) log.Add(2, kStart + seconds(i));
  const SystemTime now = kStart + seconds(10);
  EXPECT_EQ(log.EarliestFor(0, 0, 10, kWindow, now), now);
  EXPECT_EQ(log.EarliestFor(1, 0, 10, kWindow, now), kStart + seconds(60));
  EXPECT_EQ(log.EarliestFor(2, 0, 10, kWindow, now), kStart + seconds(60));
  EXPECT_EQ(log.EarliestFor(3, 0, 10, kWindow, now), kStart + seconds(61));
  EXPECT_EQ(log.EarliestFor(2, 6, 10, kWindow, now), kStart + seconds(63)) << "after those who wait";
  EXPECT_EQ(log.EarliestFor(2, 10, 10, kWindow, now), kStart + seconds(124)) << "in the window after";
  EXPECT_EQ(log.EarliestFor(99, 0, 10, kWindow, now), kStart + seconds(64)) << "alone";
}

TEST(SendLogTest, NoWindowHoldsMoreThanItsLimitAndNearlyAllIsUsed) {
  for (const double limit : {7.0, 300.0, 9000.0}) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> cost(0.1, limit / 40);
    SendLog log;
    std::vector<Sent> sent;
    SystemTime now = kStart;
    double all = 0;
    while (now < kStart + 10 * kWindow) {
      const double mine = limit > 1000 ? 1 : cost(random);
      log.Forget(kWindow, kWindow, now);
      now = log.EarliestFor(mine, 0, limit, kWindow, now);
      log.Add(mine, now);
      sent.push_back({now, mine});
      all += mine;
      now += Micros(random() % 4000);
    }
    EXPECT_LE(MostInAnyWindow(sent), limit + 1e-3) << limit;
    EXPECT_GE(all, 9.7 * limit) << limit;
  }
}

TEST(SendLogTest, ThinningNeverDelaysASendByMoreThanItsPartOfTheWindow) {
  SendLog log;
  for (int i = 0; i < 100'000; ++i) {
    const SystemTime now = kStart + milliseconds(i);
    log.Forget(kWindow, kWindow, now);
    log.Add(1, now);
    ASSERT_LT(log.size(), 4200U);
    if (i >= 60'000 && i % 1000 == 0) {
      ASSERT_GE(log.Total(kWindow, now), 60'000.0) << "nothing is left behind too early";
      ASSERT_LE(log.Total(kWindow, now), 60'501.0) << "or held for longer than a part";
    }
  }
}

TEST(SendLogTest, WhatASendCostInTheEndCountsAfterItWasThinnedToo) {
  SendLog log;
  const SystemTime at = log.Add(1, kStart);
  for (int i = 1; i < 5000; ++i) log.Add(1, kStart + milliseconds(i));
  EXPECT_EQ(log.Total(kWindow, kStart + seconds(6)), 5000);
  log.Change(at, 41);
  EXPECT_EQ(log.Total(kWindow, kStart + seconds(6)), 5041);
  log.Change(at, -42);
  EXPECT_EQ(log.Total(kWindow, kStart + seconds(6)), 4999);
  log.Forget(kWindow, kWindow, kStart + seconds(90));
  log.Change(at, 7);
  EXPECT_EQ(log.Total(kWindow, kStart + seconds(90)), 0) << "it has left the window";
}

TEST(SendLogTest, WithoutAWindowNothingIsForgottenAndMemoryIsBounded) {
  SendLog log;
  for (int i = 0; i < 50'000; ++i) log.Add(1, kStart + milliseconds(i));
  EXPECT_LT(log.size(), 4200U);
  EXPECT_EQ(log.Total(kWindow, kStart + seconds(50)), 50'000);
}

TEST(SendLogTest, ARequestThatWasHeldUpCountsFromWhenItWasSent) {
  SendLog log;
  const SystemTime at = log.Add(5, kStart);
  EXPECT_EQ(log.Move(at, 5, kStart + milliseconds(10)), at);
  log.Add(1, kStart + seconds(1));
  EXPECT_EQ(log.Move(at, 5, kStart + seconds(3)), kStart + seconds(3));
  EXPECT_EQ(log.Total(kWindow, kStart + seconds(62)), 5);
  EXPECT_EQ(log.Freed(kWindow, kStart + seconds(62)) - log.Freed(kWindow, kStart + seconds(2)), 1);
}

TEST(SendLogTest, InWhateverOrderSendsAreAddedTheyStandAtTheirTimes) {
  SendLog log, other;
  for (const int i : {0, 3, 1, 2, 1}) log.Add(1, kStart + seconds(i));
  for (const int i : {1, 1, 0, 2, 3}) other.Add(1, kStart + seconds(i));
  for (int i = 0; i < 6; ++i) {
    const SystemTime now = kStart + kWindow + milliseconds(1000 * i - 500);
    EXPECT_EQ(log.Total(kWindow, now), other.Total(kWindow, now)) << i;
    EXPECT_EQ(log.EarliestFor(3, 0, 5, kWindow, now), other.EarliestFor(3, 0, 5, kWindow, now)) << i;
  }
  EXPECT_EQ(log.EarliestFor(3, 0, 5, kWindow, kStart + seconds(9)), kStart + seconds(61));
}

// Whoever asks with a window that turns out to be too short has changed nothing.
TEST(SendLogTest, AQuestionChangesNothing) {
  SendLog log;
  for (int i = 0; i < 5; ++i) log.Add(1, kStart + seconds(i));
  const SystemTime now = kStart + seconds(30);
  EXPECT_EQ(log.Total(seconds(5), now), 0);
  EXPECT_EQ(log.EarliestFor(1, 0, 5, seconds(5), now), now);
  EXPECT_EQ(log.Total(kWindow, now), 5);
  EXPECT_EQ(log.EarliestFor(1, 0, 5, kWindow, now), kStart + kWindow);
}

TEST(SendLogTest, SavedPartsAreNeverBeforeTheirSends) {
  SendLog log;
  for (int i = 0; i < 600; ++i) log.Add(1, kStart + milliseconds(100 * i));
  const auto parts = log.Parts(kWindow, kStart + kWindow - milliseconds(1));
  EXPECT_LE(parts.size(), 61U);
  SendLog restored;
  restored.Add(2, kStart + kWindow);
  restored.TakeUp(parts);
  EXPECT_EQ(restored.Total(kWindow, kStart + kWindow), 602);
  EXPECT_GE(restored.EarliestFor(1, 0, 602, kWindow, kStart + kWindow), kStart + kWindow);
  EXPECT_EQ(restored.Total(kWindow, kStart + 2 * kWindow - milliseconds(1)), 2);
}

}  // namespace
}  // namespace apiquota::guard
