// What a limit makes of too little said, or of what is said wrong.
#include <algorithm>
#include <vector>

#include "tests/guard/limit_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Only what is left is said, and until when: after that nothing is known again.
TEST_F(LimitTest, ALimitThatIsNotSaidIsNotKnownAfterItsReset) {
  Make(Kind::kFixed);
  reading.reset_at = kStart + seconds(60);
  Call(0);
  EXPECT_FALSE(Goes());
  now = Earliest();
  EXPECT_LE(now, kStart + seconds(62));
  EXPECT_TRUE(Goes());
}

// Nothing tells by how much its clock is behind; but what it says after the reset does.
TEST_F(LimitTest, AResetThatTheApiStillSpeaksOfHasNotCome) {
  Make(Kind::kFixed);
  offset.reset();
  reading.limit = 10;
  reading.window_seconds = 60;
  reading.reset_absolute = true;
  reading.reset_at = kStart + milliseconds(60'250);
  Call(0);
  now = Earliest();
  EXPECT_EQ(limit->available(now), 10);
  const Id early = Take();
  now += milliseconds(80);
  Answer(early, 0, milliseconds(80));
  EXPECT_FALSE(Goes()) << "there the old window goes on";
  EXPECT_LE(Earliest(), now + seconds(1));
  now = Earliest();
  EXPECT_TRUE(Goes());
}

TEST_F(LimitTest, WhatIsSaidOfAWindowThatIsOverIsNotNews) {
  Make(Kind::kFixed);
  reading.limit = 10;
  reading.window_seconds = 60;
  reading.reset_at = kStart + seconds(60);
  Call(5);
  const Id slow = Take();
  now = kStart + seconds(62);
  Answer(slow, 0, seconds(61));
  EXPECT_TRUE(Goes());
}

TEST_F(LimitTest, OfALimitAndItsWindowAloneNoWindowHoldsMore) {
  Make(Kind::kFixed);
  reading.limit = 4;
  reading.window_seconds = 60;
  const Id first = Take();
  reading.remaining.reset();
  limit->Hear({.reading = reading, .ticket = first, .sent_at = now, .received_at = now, .offset = offset},
              now);
  limit->Settle(first, 1, now);
  for (int i = 0; i < 3; ++i) {
    now += seconds(5);
    ASSERT_TRUE(Goes()) << i;
    Call(std::nullopt);
  }
  EXPECT_GE(Earliest(), kStart + seconds(60));
  EXPECT_LE(Earliest(), kStart + seconds(61));
}

// Limit and remaining, and never until when: one goes after a while, and its answer says more.
TEST_F(LimitTest, ALevelWithoutAnyTimesIsAskedAgainByOne) {
  Make(Kind::kFixed);
  reading.limit = 100;
  Call(0);
  EXPECT_FALSE(Goes());
  EXPECT_LE(Earliest(), kStart + seconds(62));
  now = Earliest();
  ASSERT_TRUE(Goes());
  const Id probe = Take();
  EXPECT_FALSE(Goes());
  Answer(probe, 100);
  EXPECT_TRUE(Goes(100));
}

// Some calls of an API tell of a quota that others do not use.
TEST_F(LimitTest, AnApiThatSpeaksOfALimitNoMoreIsOpenAgainStepByStep) {
  Make(Kind::kFixed);
  reading.limit = 20;
  Call(20);
  for (int i = 0; i < 20; ++i) Call(std::nullopt);
  EXPECT_FALSE(Goes());
  now = Earliest();
  EXPECT_LE(now, kStart + seconds(62));
  size_t before = 0;
  for (int step = 0; step < 5; ++step) {
    std::vector<Id> tried;
    while (tried.size() < 100 && Goes()) tried.push_back(Take());
    EXPECT_GT(tried.size(), before);
    EXPECT_LE(tried.size(), step == 0 ? 1U : 20U);
    before = std::min<size_t>(tried.size(), 19);
    now += milliseconds(100);
    for (const Id id : tried) Answer(id, std::nullopt);
  }
  EXPECT_EQ(before, 19U);
  Call(0);
  EXPECT_FALSE(Goes()) << "it speaks again";
}

TEST_F(LimitTest, TokensWithoutAnyTimesAreAskedForAgain) {
  Make(Kind::kFixed, "tokens", "tokens");
  reading.limit = 1000;
  Call(0, 1);
  EXPECT_FALSE(Goes(600));
  now = Earliest(600);
  EXPECT_LE(now, kStart + seconds(62));
  EXPECT_TRUE(Goes(600));
}

}  // namespace
}  // namespace apiquota::guard
