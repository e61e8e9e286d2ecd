// Buckets, and windows that nobody tells the end of, by hand.
#include "tests/guard/limit_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class BucketLimitTest : public LimitTest {
 protected:
  // 60 a minute: one a second.
  void MakeBucket(std::string_view unit = "requests", double whole = 60) {
    Make(Kind::kBucket, unit, unit);
    reading.limit = whole;
    reading.window_seconds = 60;
  }
};

TEST_F(BucketLimitTest, ItsLevelComesBackAtItsRateAndStaysFull) {
  MakeBucket();
  Call(10);
  EXPECT_EQ(limit->available(now), 10);
  now += seconds(20);
  EXPECT_NEAR(*limit->available(now), 30, 1e-6);
  EXPECT_EQ(Earliest(40), now + seconds(10));
  EXPECT_EQ(Earliest(40, 15), now + seconds(25)) << "after those who wait";
  now += minutes(5);
  EXPECT_EQ(limit->available(now), 60);
}

TEST_F(BucketLimitTest, AGuessAboveItRunsAloneWhenItIsFull) {
  MakeBucket("tokens", 6000);
  Call(3000, 1);
  EXPECT_TRUE(limit->NeverFits(9000));
  EXPECT_EQ(Earliest(9000), now + seconds(30));
  now += seconds(30);
  EXPECT_TRUE(Goes(9000));
  Take(9000);
  EXPECT_FALSE(Goes(1));
}

TEST_F(BucketLimitTest, MoreThanWasReservedIsDebtUntilAReadingSaysTheLevel) {
  MakeBucket("tokens", 6000);
  const Id ticket = Take(1000);
  Hear(ticket, 5000);
  limit->Answered(ticket, now);
  limit->Settle(ticket, 7000, now);
  EXPECT_EQ(limit->available(now), -1000);
  EXPECT_EQ(limit->Reserved(), 0);
  EXPECT_EQ(Earliest(500), now + seconds(15));
  now += milliseconds(1);
  Call(4000, 0);
  EXPECT_EQ(limit->available(now), 4000);
}

TEST_F(BucketLimitTest, LessThanWasReservedComesBack) {
  MakeBucket("tokens", 6000);
  Call(5000, 0);
  const Id ticket = Take(3000);
  EXPECT_EQ(limit->available(now), 2000);
  limit->Settle(ticket, 400, now);
  EXPECT_EQ(limit->available(now), 4600);
}

TEST_F(BucketLimitTest, ACoarseReadingNeverRaisesTheLevelByLessThanItsStep) {
  MakeBucket("tokens", 100'000);
  reading.window_seconds = 3600;
  Call(80'000, 0);
  now += milliseconds(1);
  Call(79'000, 700);
  const double before = *limit->available(now);
  now += milliseconds(1);
  Call(79'000, 700);
  EXPECT_LT(*limit->available(now), before - 600) << "it has been spent, whatever a rounded number says";
  now += milliseconds(1);
  Call(90'000, 0);
  EXPECT_EQ(limit->available(now), 90'000) << "a step up is news";
}

// An API that says its level once, and then for long nothing: own requests are taken from what comes back.
TEST_F(BucketLimitTest, AnApiThatFallsSilentIsHeldToItsRate) {
  MakeBucket();
  Call(60);
  const SystemTime silent = now;
  int sent = 0;
  while (now < silent + minutes(20)) {
    now = std::max(now, Earliest());
    Call(std::nullopt);
    ++sent;
    now += milliseconds(10);
  }
  EXPECT_LE(sent, 60 + 20 * 60 + 1);
  EXPECT_GE(sent, 20 * 60);
}

TEST_F(BucketLimitTest, SlowUseOfASilentBucketLeavesItFull) {
  MakeBucket();
  Call(60);
  for (int i = 0; i < 500; ++i) {
    now += seconds(2);
    ASSERT_TRUE(Goes()) << i;
    Call(std::nullopt);
  }
  EXPECT_EQ(limit->available(now), 59);
}

TEST_F(BucketLimitTest, WhatIsUnderWayForLongIsStillHeldBack) {
  MakeBucket();
  Call(60);
  Take(20);
  now += minutes(10);
  EXPECT_EQ(limit->available(now), 40) << "it may be charged at its end";
}

TEST_F(BucketLimitTest, OneWhoseLevelNobodyTellsIsHeldByItsWindow) {
  MakeBucket("requests", 4);
  const Id first = Take();
  limit->Hear({.reading = reading, .ticket = first, .sent_at = now, .received_at = now, .offset = offset},
              now);
  limit->Settle(first, 1, now);
  for (int i = 0; i < 3; ++i) Call(std::nullopt);
  EXPECT_GE(Earliest(), kStart + seconds(60));
}

TEST_F(BucketLimitTest, WhatTheApiMayCountYetIsNotTakenForRefilled) {
  MakeBucket();
  Call(60);
  const Id lost = Take(10);
  limit->Settle(lost, 10, now, now + seconds(2));
  now += milliseconds(1900);
  EXPECT_EQ(limit->available(now), 50);
  now = kStart + seconds(6);
  EXPECT_NEAR(*limit->available(now), 54, 1e-6) << "taken two seconds after it was sent, at the latest";
}

TEST_F(BucketLimitTest, WhatCallsCostIsLearnedWithWhatCameBackMeanwhile) {
  MakeBucket("points", 3000);  // fifty a second
  double left = 3000;
  for (int i = 0; i < 10; ++i) {
    left -= 100;
    Call(left, limit->CostOf({}));
    now += seconds(1);
    left += 50;
  }
  EXPECT_NEAR(limit->CostOf({}), 100, 1);
}

class SlidingLimitTest : public LimitTest {
 protected:
  void MakeSliding(double whole) {
    Make(Kind::kSliding);
    reading.limit = whole;
    reading.window_seconds = 60;
  }
};

TEST_F(SlidingLimitTest, NoWindowHoldsMoreThanTheLimit) {
  MakeSliding(3);
  Call(2);
  now += seconds(10);
  Call(1);
  now += seconds(10);
  Call(0);
  EXPECT_GE(Earliest(), kStart + seconds(60));
  EXPECT_LE(Earliest(), kStart + seconds(61));
  EXPECT_GE(Earliest(1, 1), kStart + seconds(70));
}

TEST_F(SlidingLimitTest, WhatOthersSpentComesBackAtTheSaidEnd) {
  MakeSliding(10);
  reading.reset_at = kStart + milliseconds(45'250);
  Call(0);
  EXPECT_FALSE(Goes());
  EXPECT_GE(Earliest(), kStart + milliseconds(45'250));
  EXPECT_LE(Earliest(), kStart + milliseconds(46'000));
}

TEST_F(SlidingLimitTest, TokensThatAreChargedAtTheEndCountFromThere) {
  Make(Kind::kSliding, "tokens", "tokens");
  reading.limit = 1000;
  reading.window_seconds = 60;
  Call(1000, 0);
  const Id ticket = Take(600);
  now += seconds(40);
  limit->Settle(ticket, 900, now);
  now = kStart + seconds(70);
  EXPECT_FALSE(Goes(200)) << "it was charged forty seconds after it was sent";
  EXPECT_GE(Earliest(200), kStart + seconds(100));
}

TEST_F(SlidingLimitTest, ADeclaredLimitHoldsInEveryWindow) {
  limit.emplace(Limit::Declared({}, {"documented", 5, seconds(60)}));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Goes());
    Call(std::nullopt);
    now += seconds(2);
  }
  EXPECT_GE(Earliest(), kStart + seconds(60));
  EXPECT_LE(Earliest(), kStart + seconds(61));
}

}  // namespace
}  // namespace apiquota::guard
