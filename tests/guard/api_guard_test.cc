// What holds for an api as a whole: limits in force and limits that are only judged, and what a request gives
// back.
#include "guard/api_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "guard/persist.h"
#include "tests/guard/api_guard_under_test.h"

namespace apiquota::guard {
namespace {

TEST(ApiGuardTest, WithNoLimitsItAsksNothing) {
  EXPECT_FALSE(Configured(With({}))->asks());
  Options off = With({Rule("default", 1, minutes(1))});
  off.limits[0].mode = Mode::kOff;
  EXPECT_FALSE(Configured(off)->asks());
  off.limits[0].mode = std::nullopt;
  EXPECT_TRUE(Configured(off)->asks());
}

TEST(ApiGuardTest, APlaceComesBackUnlessTheRequestWasSent) {
  const auto guard = Configured(With({Rule("default", 5, minutes(1))}));
  {
    ApiTurn turn = guard->Ask(From("192.0.2.1"), kStart);
    EXPECT_EQ(LeftOf(guard, kStart), 4U);
  }
  EXPECT_EQ(LeftOf(guard, kStart), 5U) << "its client left while it waited";
  {
    ApiTurn turn = guard->Ask(From("192.0.2.1"), kStart);
    EXPECT_FALSE(turn.permit.Enter(kStart));
    turn.permit.Sent();
    turn.permit.Release(kStart);
  }
  EXPECT_EQ(LeftOf(guard, kStart), 4U);
  ApiTurn turn = guard->Ask(From("192.0.2.1"), kStart);
  turn = guard->Ask(From("192.0.2.1"), kStart);
  EXPECT_EQ(LeftOf(guard, kStart), 3U) << "one that is replaced gives back";
}

TEST(ApiGuardTest, AQuestionInATurnThatHadAnotherHoldsAndSaysNothingOfThat) {
  LimitRule judged = Rule("judged", 1, minutes(1));
  judged.mode = Mode::kShadow;
  const auto guard = Configured(With({judged, Rule("default", 2, minutes(1))}));
  ApiTurn turn;
  for (int i = 0; i < 2; ++i) {
    guard->Ask(From("192.0.2.1"), kStart, &turn);
    turn.permit.Sent();
  }
  guard->Ask(From("192.0.2.1"), kStart, &turn);
  EXPECT_TRUE(turn.refusal);
  EXPECT_TRUE(turn.shadow);
  guard->Ask(From("192.0.2.2"), kStart, &turn);
  EXPECT_FALSE(turn.refusal);
  EXPECT_FALSE(turn.shadow);
  ASSERT_EQ(turn.standings.size(), 1U);
  EXPECT_EQ(turn.standings[0].remaining, 1);
  EXPECT_EQ(LeftOf(guard, kStart), 0U) << "what was sent is not given back by the next one's turn";
  turn.permit.Release(kStart);
  EXPECT_EQ(guard->StandingsOf(From("192.0.2.2"), kStart)[0].remaining, 2) << "it was never sent";
}

TEST(ApiGuardTest, ALimitThatIsOnlyJudgedRefusesNobodyAndCountsForItself) {
  LimitRule judged = Rule("tighter", 1, minutes(1));
  judged.mode = Mode::kShadow;
  const auto guard = Configured(With({judged, Rule("default", 3, minutes(1))}));
  std::vector<ApiTurn> turns;
  for (int i = 0; i < 4; ++i) turns.push_back(guard->Ask(From("192.0.2.1"), kStart));
  EXPECT_FALSE(turns[0].shadow);
  EXPECT_FALSE(turns[1].refusal);
  ASSERT_TRUE(turns[1].shadow);
  EXPECT_EQ(turns[1].shadow->quota, "tighter");
  ASSERT_EQ(turns[1].standings.size(), 1U) << "clients are told of limits in force alone";
  EXPECT_EQ(turns[1].standings[0].name, "default");
  ASSERT_TRUE(turns[3].refusal);
  EXPECT_EQ(turns[3].refusal->quota, "default");
}

TEST(ApiGuardTest, AShadowBlockHasLimitsAndAStateOfItsOwn) {
  Options options = With({Rule("default", 2, minutes(1))});
  auto shadow = std::make_shared<Options>(With({Rule("default", 1, minutes(1))}));
  shadow->mode = Mode::kOff;
  options.shadow = shadow;
  const auto guard = Configured(options);
  std::vector<ApiTurn> turns;
  for (int i = 0; i < 3; ++i) turns.push_back(guard->Ask(From("192.0.2.1"), kStart));
  EXPECT_EQ(turns[0].shadow.has_value(), false);
  EXPECT_EQ(turns[1].shadow.has_value(), true);
  EXPECT_EQ(turns[1].refusal.has_value(), false);
  EXPECT_EQ(turns[2].refusal.has_value(), true);
  EXPECT_EQ(guard->View(kStart, 10).limits.size(), 2U);
}

TEST(ApiGuardTest, WhatLoopsDoAtOnceIsWhatOneOfThemWouldHaveDone) {
  constexpr int kThreads = 4, kEach = 5000;
  constexpr size_t kLimit = 7000;
  const auto guard =
      Configured(With({Rule("default", kLimit, minutes(1)), Rule("other", kLimit * 2, minutes(1))}));
  std::atomic<size_t> sent = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        ApiTurn turn = guard->Ask(From("192.0.2.1"), kStart + Micros(i));
        if (turn.refusal) {
          ++refused;
        } else if ((i + t) % 3 == 0) {
          turn.permit.Sent(), ++sent;
          turn.permit.Settle(std::nullopt, kStart + Micros(i));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto standings = guard->StandingsOf(From("192.0.2.1"), kStart + seconds(1));
  EXPECT_LE(sent, kLimit);
  EXPECT_GT(sent, kLimit / 2);
  EXPECT_EQ(standings[0].remaining, static_cast<double>(kLimit - sent));
  EXPECT_EQ(standings[1].remaining, static_cast<double>(2 * kLimit - sent));
}

TEST(ApiGuardTest, AReloadKeepsWhatWasUsedAndARestartToo) {
  const Options options = With({Rule("default", 5, minutes(1))});
  const auto guard = Configured(options);
  std::vector<ApiTurn> turns;
  for (int i = 0; i < 3; ++i) turns.push_back(guard->Ask(From("192.0.2.1"), kStart));
  guard->Configure(options, kStart + seconds(1));
  EXPECT_EQ(LeftOf(guard, kStart + seconds(1)), 2U);
  const auto text = WriteSaved({.keys = {}, .apis = {guard->Save(kStart + seconds(1))}});
  const auto read = ReadSaved(text);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->apis.size(), 1U);
  EXPECT_EQ(read->apis[0], guard->Save(kStart + seconds(1)));
  EXPECT_EQ(text.find("192.0.2.1"), std::string::npos);
  const auto other = Configured(options);
  other->Restore(read->apis[0], kStart + seconds(2));
  EXPECT_EQ(LeftOf(other, kStart + seconds(2)), 2U);
}

Options WithBreaker() {
  Options options = With({});
  options.breaker.emplace();
  options.breaker->mode = Mode::kOn;
  return options;
}

// One attempt, of whose answer a head came that was well.
void BreaksOff(const std::shared_ptr<ApiGuard>& api, SystemTime now) {
  ApiTurn turn = api->Ask({}, now);
  ASSERT_FALSE(turn.refusal);
  ASSERT_FALSE(turn.permit.Enter(now));
  turn.permit.Sent();
  turn.permit.Answered(Health::kWell, now);
  turn.permit.Failed(Health::kIll, now);
}

TEST(ApiGuardTest, AnswersThatBeginWellAndBreakOffOpenTheBreaker) {
  const auto api = Configured(WithBreaker());
  for (int i = 0; i < 5; ++i) BreaksOff(api, kStart);
  EXPECT_TRUE(api->Ask({}, kStart).refusal);
  // A probe is enough by its head: others need not wait for the end of a stream.
  const SystemTime later = kStart + seconds(10);
  ApiTurn probe = api->Ask({}, later);
  EXPECT_FALSE(probe.permit.Enter(later));
  probe.permit.Answered(Health::kWell, later);
  EXPECT_FALSE(api->Ask({}, later).refusal);
}

TEST(ApiGuardTest, OneThatEndsWithoutATimeIsCountedWhereTheLastWas) {
  Options options = WithBreaker();
  options.breaker->errors = 0;
  options.breaker->of_at_least = 5;
  const auto api = Configured(options);
  const SystemTime later = kStart + seconds(10);  // its second stands in the place of kStart's
  std::vector<ApiTurn> turns(5);
  for (ApiTurn& turn : turns) {
    turn = api->Ask({}, kStart);
    EXPECT_FALSE(turn.permit.Enter(kStart));
    turn.permit.Answered(Health::kWell, kStart);
  }
  for (size_t i = 0; i < 4; ++i) turns[i].permit.Failed(Health::kIll, later);
  {
    ApiTurn gone = std::move(turns[4]);
  }
  ApiTurn last = api->Ask({}, later);
  EXPECT_FALSE(last.permit.Enter(later));
  last.permit.Failed(Health::kIll, later);
  EXPECT_TRUE(api->Ask({}, later).refusal);
}

TEST(ApiGuardTest, AnswersThatEndAnyOtherWayWereWell) {
  const auto api = Configured(WithBreaker());
  for (int i = 0; i < 4; ++i) BreaksOff(api, kStart);
  {
    ApiTurn turn = api->Ask({}, kStart);
    EXPECT_FALSE(turn.permit.Enter(kStart));
    turn.permit.Answered(Health::kWell, kStart);
    turn.permit.Failed(Health::kUnknown, kStart);  // its client has left
  }
  for (int i = 0; i < 4; ++i) BreaksOff(api, kStart);
  EXPECT_FALSE(api->Ask({}, kStart).refusal);
}

}  // namespace
}  // namespace apiquota::guard
