// RFC 9111 sections 4.3.1, 4.3.2, 5.1; RFC 9110 sections 13.1.2, 13.1.3, 15.4.5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/answer.h"
#include "tests/cache/ask.h"

namespace apiquota::cache {
namespace {

using testing::ElementsAre;

const Answer& Tagged() {
  static const Answer answer = Made({}, HeadOf(200, {{"Date", kDate},
                                                     {"Cache-Control", "max-age=60"},
                                                     {"ETag", "\"a\""},
                                                     {"Last-Modified", kHourAgo},
                                                     {"Content-Type", "text/plain"},
                                                     {"Content-Location", "/y"},
                                                     {"Vary", "Foo"},
                                                     {"Link", "<x>; rel=next"}}));
  return answer;
}

int StatusFor(const Answer& answer, const Asked& asked) { return Serve(answer, *asked, kNow).head.status; }

TEST(ServeTest, AgeIsHowOldItIsByNow) {
  const Served served = Serve(Tagged(), *Asked(), kNow + milliseconds(12'900));
  EXPECT_EQ(served.head.fields.Find("age"), "12");
  EXPECT_EQ(served.head.status, 200);
  EXPECT_EQ(served.body, "body");
  EXPECT_EQ(served.body.data(), Tagged().body.data());  // a view
  EXPECT_EQ(Serve(Tagged(), *Asked(), kNow + hours(1'000'000)).head.fields.Find("age"), "2147483648");
  EXPECT_EQ(Serve(Tagged(), *Asked(), kNow - hours(1)).head.fields.Find("age"), "0");
}

TEST(ServeTest, HeadIsAnsweredWithTheHeadAlone) {
  const Served served = Serve(Tagged(), *Asked("HEAD", "/v1/x"), kNow);
  EXPECT_EQ(served.head.fields.Find("content-length"), "4");
  EXPECT_EQ(served.head.content_length, 4);
  EXPECT_EQ(served.body, "");
}

TEST(ServeTest, AClientThatHasItIsToldSoWithoutABody) {
  const Served served = Serve(Tagged(), *Asked({{"If-None-Match", "\"a\""}}), kNow);
  EXPECT_EQ(served.head.status, 304);
  EXPECT_EQ(served.head.reason, "Not Modified");
  EXPECT_EQ(served.body, "");
  EXPECT_THAT(LinesOf(served.head.fields),
              ElementsAre("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Cache-Control: max-age=60", "ETag: \"a\"",
                          "Content-Location: /y", "Vary: Foo", "Link: <x>; rel=next", "Age: 0"));
}

TEST(ServeTest, TagsCompareWeakly) {
  for (const std::string_view list :
       {"\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" , \"c\"", "*", "\"b,\",\"a\""}) {
    EXPECT_EQ(StatusFor(Tagged(), {{"If-None-Match", list}}), 304) << list;
  }
  for (const std::string_view list :
       {"\"b\"", "a", "w/\"a\"", "W\"a\"", "", "\"A\"", "\"b, \\\"a\\\"\"", "\"a"}) {
    EXPECT_EQ(StatusFor(Tagged(), {{"If-None-Match", list}}), 200) << list;
  }
  EXPECT_EQ(StatusFor(Tagged(), {{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}}), 304);
}

TEST(ServeTest, ATagOverrulesATime) {
  EXPECT_EQ(StatusFor(Tagged(), {{"If-None-Match", "\"b\""}, {"If-Modified-Since", kDate}}), 200);
  EXPECT_EQ(StatusFor(Made({}, HeadOf(200, {{"Last-Modified", kHourAgo}})),
                      {{"If-None-Match", "\"b\""}, {"If-Modified-Since", kDate}}),
            200);
}

TEST(ServeTest, NothingIsNewerThanWhenItWasModified) {
  const Answer answer = Made({}, HeadOf(200, {{"Last-Modified", kHourAgo}}));
  EXPECT_EQ(StatusFor(answer, {{"If-Modified-Since", kHourAgo}}), 304);
  EXPECT_EQ(StatusFor(answer, {{"If-Modified-Since", kDate}}), 304);
  EXPECT_EQ(StatusFor(answer, {{"If-Modified-Since", "Sun, 06 Nov 1994 07:49:36 GMT"}}), 200);
  EXPECT_EQ(StatusFor(answer, {{"If-Modified-Since", "yesterday"}}), 200);
  EXPECT_EQ(Serve(answer, *Asked({{"If-Modified-Since", kDate}}), kNow).head.fields.Find("last-modified"),
            kHourAgo);
}

TEST(ServeTest, WithoutLastModifiedItsDateCounts) {
  const Answer answer = Made({}, HeadOf(200, {{"Date", kHourAgo}}));
  EXPECT_EQ(StatusFor(answer, {{"If-Modified-Since", kDate}}), 304);
  EXPECT_EQ(StatusFor(answer, {{"If-Modified-Since", "Sun, 06 Nov 1994 07:49:36 GMT"}}), 200);
}

TEST(ServeTest, ConditionsAreForAnswersOfGetThatWentWell) {
  const Answer missing = Made({}, HeadOf(404, {{"ETag", "\"a\""}}));
  EXPECT_EQ(StatusFor(missing, {{"If-None-Match", "\"a\""}}), 404);
  Asked posted = Posted("{}");
  posted.fields = FieldsOf({{"If-None-Match", "\"a\""}});
  EXPECT_EQ(StatusFor(Made(posted, HeadOf(200, {{"ETag", "\"a\""}})), posted), 200);
}

TEST(ConditionTest, TheTagElseTheTime) {
  const auto condition = [](Lines lines) -> std::string {
    const Answer answer = Made({}, HeadOf(200, lines));
    const auto field = ConditionOf(answer);
    EXPECT_EQ(answer.HasValidator(), field.has_value());
    return field ? std::string(field->name).append(": ").append(field->value) : "";
  };
  EXPECT_EQ(condition({{"ETag", "W/\"a\""}, {"Last-Modified", kDate}}), "If-None-Match: W/\"a\"");
  EXPECT_EQ(condition({{"Last-Modified", kDate}}), "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(condition({{"ETag", ""}}), "");
}

}  // namespace
}  // namespace apiquota::cache
