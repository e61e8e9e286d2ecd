// How many requests may be under way, in virtual time.
#include "guard/slots.h"

#include <gtest/gtest.h>

#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

class SlotsTest : public testing::Test {
 protected:
  void Take(size_t count) {
    for (size_t i = 0; i < count; ++i) slots.Take(++last, now);
  }
  // So many have been held for `span` each.
  void Learn(Micros span, size_t count = 9) {
    for (size_t i = 0; i < count; ++i) {
      slots.Take(1'000'000 + i, now);
      slots.End(1'000'000 + i, now + span);
    }
  }

  SystemTime now = kStart;
  Id last = 0;
  Slots slots;
};

TEST_F(SlotsTest, NothingIsLimitedThatIsNotWritten) {
  Take(1000);
  EXPECT_TRUE(slots.free(now));
  EXPECT_FALSE(slots.limited());
}

TEST_F(SlotsTest, AsManyAsWrittenAndEachEndFreesOne) {
  slots.Configure(2, false);
  Take(1);
  EXPECT_TRUE(slots.free(now));
  Take(1);
  EXPECT_FALSE(slots.free(now));
  slots.End(77, now);
  EXPECT_FALSE(slots.free(now)) << "nobody's end";
  slots.End(1, now);
  slots.End(1, now);
  EXPECT_EQ(slots.in_use(), 1U);
  EXPECT_TRUE(slots.free(now));
}

TEST_F(SlotsTest, WhenOneIsFreeIsKnownByHowLongCallsTake) {
  slots.Configure(2, false);
  EXPECT_EQ(slots.FreeAt(0, now), std::nullopt) << "none has ended yet";
  Learn(60s, 4);
  EXPECT_EQ(slots.FreeAt(0, now), std::nullopt) << "a few long ones need not be the rule";
  Learn(2s);
  Take(2);
  now += 500ms;
  EXPECT_EQ(slots.FreeAt(0, now), now + 1500ms);
  EXPECT_EQ(slots.FreeAt(1, now), now + 1500ms);
  EXPECT_EQ(slots.FreeAt(2, now), now + 3500ms);
  EXPECT_EQ(slots.FreeAt(20, now), now + 21500ms);
}

// Else who waits behind tunnels would be told the time of short calls for ever.
TEST_F(SlotsTest, WhatHasTakenLongIsExpectedToTakeAsLongAgain) {
  slots.Configure(2, false);
  Learn(100ms);
  Take(2);
  now += 60s;
  EXPECT_EQ(slots.FreeAt(0, now), now + 60s);
}

// Nine tunnels, and one slot that others pass through.
TEST_F(SlotsTest, OneThatIsHeldForLongDoesNotHoldUpTheOthers) {
  slots.Configure(10, false);
  Learn(100ms);
  Take(9);
  now += 3600s;
  Take(1);
  EXPECT_EQ(slots.FreeAt(4, now), now + 500ms);
}

TEST_F(SlotsTest, WhatIsAboveTheLimitMustEndFirst) {
  slots.Configure(2, false);
  Learn(1s);
  Take(4);
  EXPECT_EQ(slots.FreeAt(0, now), now + 1s);
  EXPECT_FALSE(slots.free(now));
  slots.End(1, now), slots.End(2, now);
  EXPECT_FALSE(slots.free(now));
  slots.End(3, now);
  EXPECT_TRUE(slots.free(now));
}

TEST_F(SlotsTest, ARefusalShrinksItOnceASecondAndNeverBelowOne) {
  slots.Configure(100, true);
  EXPECT_EQ(slots.limit(now), 100U);
  slots.Refused(now, now);
  slots.Refused(now, now);
  EXPECT_EQ(slots.limit(now), 70U);
  now += 900ms;
  slots.Refused(now, now);
  EXPECT_EQ(slots.limit(now), 70U);
  for (int i = 0; i < 40; ++i) {
    now += 1s;
    slots.Refused(now, now);
  }
  EXPECT_EQ(slots.limit(now), 1U);
  EXPECT_TRUE(slots.free(now));
}

// A hundred that went at once may be refused one after the other, for seconds.
TEST_F(SlotsTest, WhatWasSentBeforeItShrankDoesNotShrinkItAgain) {
  slots.Configure(100, true);
  const SystemTime sent = now;
  now += 2s;
  slots.Refused(sent, now);
  now += 2s;
  slots.Refused(sent, now);
  EXPECT_EQ(slots.limit(now), 70U);
}

TEST_F(SlotsTest, AsManySuccessesAsItHasGrowItByOneUpToTheMost) {
  slots.Configure(10, true);
  slots.Refused(now, now);
  Take(7);
  EXPECT_EQ(slots.limit(now), 7U);
  for (int i = 0; i < 6; ++i) slots.Served();
  EXPECT_EQ(slots.limit(now), 7U);
  slots.Served();
  EXPECT_EQ(slots.limit(now), 8U);
  for (int i = 0; i < 100; ++i) slots.Served();
  EXPECT_EQ(slots.limit(now), 10U);
}

TEST_F(SlotsTest, WhoUsesFewDoesNotLearnThatThereAreMany) {
  slots.Configure(10, true);
  slots.Refused(now, now);
  Take(3);
  for (int i = 0; i < 100; ++i) slots.Served();
  EXPECT_EQ(slots.limit(now), 7U);
}

TEST_F(SlotsTest, ThoseThatAreNotAdaptiveStay) {
  slots.Configure(10, false);
  slots.Refused(now, now);
  EXPECT_EQ(slots.limit(now), 10U);
}

TEST_F(SlotsTest, AReloadKeepsWhatWasLearnedAsFarAsItFits) {
  slots.Configure(10, true);
  slots.Refused(now, now);
  slots.Configure(8, true);
  EXPECT_EQ(slots.limit(now), 7U);
  slots.Configure(5, true);
  EXPECT_EQ(slots.limit(now), 5U);
  slots.Configure(9, true);
  EXPECT_EQ(slots.limit(now), 9U) << "all there was is all there is";
  slots.Configure(20, false);
  EXPECT_EQ(slots.limit(now), 20U);
}

TEST_F(SlotsTest, WhatOthersHoldIsTheirsAsLongAsCallsTake) {
  slots.Configure(10, true);
  slots.Others(7, now);
  Take(3);
  EXPECT_FALSE(slots.free(now));
  EXPECT_EQ(slots.OthersUntil(now), now + 1s);
  now += 1s;
  EXPECT_TRUE(slots.free(now));
  slots.Others(100, now);
  for (Id id = 1; id <= 3; ++id) slots.End(id, now);
  EXPECT_TRUE(slots.free(now)) << "one may always go: nothing else brings news";
}

TEST_F(SlotsTest, TheMostAtOnceSinceThenIsKnown) {
  slots.Configure(10, false);
  Take(5);
  const SystemTime first = now;
  for (Id id = 1; id <= 4; ++id) slots.End(id, now);
  now += 1s;
  const SystemTime second = now;
  Take(2);
  now += 1s;
  EXPECT_EQ(slots.MostSince(first), 5U);
  EXPECT_EQ(slots.MostSince(second), 3U);
  EXPECT_EQ(slots.MostSince(now), 3U);
}

}  // namespace
}  // namespace apiquota::guard
