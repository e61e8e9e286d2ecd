// RFC 9111 section 4.2: how old an answer is, and how long it is fresh.
#include "cache/freshness.h"

#include <gtest/gtest.h>

#include "tests/cache/ask.h"

namespace apiquota::cache {
namespace {

Micros LifetimeOf(int status, Lines lines) { return Made({}, HeadOf(status, lines)).fresh_for; }
Micros LifetimeOf(Lines lines) { return LifetimeOf(200, lines); }

// Section 4.2.1.
TEST(FreshnessTest, MaxAgeOverrulesExpires) {
  EXPECT_EQ(LifetimeOf({{"Cache-Control", "max-age=60"}, {"Expires", kHourAgo}}), seconds(60));
  EXPECT_EQ(LifetimeOf({{"Cache-Control", "max-age=0"}, {"Expires", kInAnHour}}), Micros{});
  EXPECT_EQ(LifetimeOf({{"Cache-Control", "max-age=x"}, {"Expires", kInAnHour}}), Micros{});
}

// Section 5.3.
TEST(FreshnessTest, ExpiresCountsFromDateAndWhatIsNoDateIsPast) {
  EXPECT_EQ(LifetimeOf({{"Expires", kInAnHour}, {"Date", kHourAgo}}), hours(2));
  EXPECT_EQ(LifetimeOf({{"Expires", kInAnHour}}), hours(1));
  EXPECT_EQ(LifetimeOf({{"Expires", kInAnHour}, {"Date", "foo"}}), hours(1));
  EXPECT_EQ(LifetimeOf({{"Expires", kHourAgo}}), Micros{});
  EXPECT_EQ(LifetimeOf({{"Expires", kDate}, {"Date", kDate}}), Micros{});
  EXPECT_EQ(LifetimeOf({{"Expires", "0"}, {"Last-Modified", "Sun, 06 Nov 1983 08:49:37 GMT"}}), Micros{});
  EXPECT_EQ(LifetimeOf({{"Expires", kInAnHour}, {"Expires", kInAnHour}}), Micros{});
  EXPECT_EQ(LifetimeOf({{"Expires", "Sunday, 06-Nov-94 09:49:37 GMT"}}), hours(1));
}

// Section 4.2.2.
TEST(FreshnessTest, ATenthOfTheTimeSinceItWasModifiedButADayAtMost) {
  EXPECT_EQ(LifetimeOf({{"Last-Modified", kHourAgo}}), seconds(360));
  EXPECT_EQ(LifetimeOf({{"Last-Modified", "Sun, 06 Nov 1983 08:49:37 GMT"}}), hours(24));
  EXPECT_EQ(LifetimeOf({{"Last-Modified", kInAnHour}}), Micros{});
  EXPECT_EQ(LifetimeOf({{"Cache-Control", "max-age=5"}, {"Last-Modified", kHourAgo}}), seconds(5));
}

TEST(FreshnessTest, OnlyStatusesThatMayBeAreFreshUnsaid) {
  for (const int status : {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}) {
    EXPECT_EQ(LifetimeOf(status, {{"Last-Modified", kHourAgo}}), seconds(360)) << status;
  }
  for (const int status : {201, 202, 302, 303, 307, 400, 401, 403, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(LifetimeOf(status, {{"Last-Modified", kHourAgo}}), Micros{}) << status;
  }
  EXPECT_EQ(LifetimeOf(403, {{"Last-Modified", kHourAgo}, {"Cache-Control", "public"}}), seconds(360));
}

// Section 4.2.3.
TEST(FreshnessTest, AgeIsTheGreaterOfWhatDateAndAgeSay) {
  const auto age = [](Lines lines) {
    return MakeAnswer(*Asked(), HeadOf(200, lines), "", kNow - seconds(2), kNow, Micros{}).age_then;
  };
  EXPECT_EQ(age({}), seconds(2));
  EXPECT_EQ(age({{"Date", kHourAgo}}), hours(1));
  EXPECT_EQ(age({{"Date", kInAnHour}}), seconds(2));
  EXPECT_EQ(age({{"Age", "100"}}), seconds(102));
  EXPECT_EQ(age({{"Date", kHourAgo}, {"Age", "100"}}), hours(1));
  EXPECT_EQ(age({{"Date", kHourAgo}, {"Age", "7200"}}), hours(2) + seconds(2));
}

// Section 5.1.
TEST(FreshnessTest, OfAgeTheFirstMemberCountsAndWhatIsNoNumberIsLeftOut) {
  EXPECT_EQ(StatedAge(FieldsOf({{"Age", "0, 100"}})), Micros{});
  EXPECT_EQ(StatedAge(FieldsOf({{"Age", "100 , 0"}})), seconds(100));
  EXPECT_EQ(StatedAge(FieldsOf({{"Age", "100"}, {"Age", "0"}})), seconds(100));
  for (const std::string_view none : {"", "abc", "-7200", "7200.0", "7200;a=b", "7200 a", " ,7200"}) {
    EXPECT_EQ(StatedAge(FieldsOf({{"Age", none}})), Micros{}) << none;
  }
  EXPECT_EQ(StatedAge(FieldsOf({{"Age", "2147483649"}})), kDeltaMax);
}

TEST(FreshnessTest, AStepOfTheSystemClockAgesNothingThatIsKept) {
  const Micros ahead = hours(5);  // the system clock was set since the process began
  const Answer answer = MakeAnswer(*Asked(), HeadOf(200, {{"Cache-Control", "max-age=60"}, {"Date", kDate}}),
                                   "", kNow - ahead, kNow - ahead, ahead);
  EXPECT_EQ(answer.age_then, Micros{});
  EXPECT_TRUE(answer.FreshAt(kNow - ahead + seconds(59)));
  EXPECT_FALSE(answer.FreshAt(kNow - ahead + seconds(60)));
}

TEST(FreshnessTest, NoCacheIsNeverFreshAndRevalidates) {
  const Answer answer = Made({}, HeadOf(200, {{"Cache-Control", "no-cache, max-age=60"}}));
  EXPECT_FALSE(answer.FreshAt(kNow));
  EXPECT_TRUE(answer.must_revalidate);
}

TEST(FreshnessTest, APostsTtlHoldsWhateverItsAnswerSays) {
  const auto head = HeadOf(200, {{"Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"},
                                 {"Date", kHourAgo},
                                 {"Age", "7200"}});
  const Answer answer = Made(Posted("{}", hours(24)), head);
  EXPECT_TRUE(answer.FreshAt(kNow + hours(24) - seconds(1)));
  EXPECT_FALSE(answer.FreshAt(kNow + hours(24)));
  EXPECT_FALSE(answer.must_revalidate);
}

}  // namespace
}  // namespace apiquota::cache
