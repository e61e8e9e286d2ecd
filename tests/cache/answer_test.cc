#include "cache/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cache/ask.h"

namespace apiquota::cache {
namespace {

using testing::ElementsAre;

// RFC 9111 section 3.1.
TEST(AnswerTest, WhatWasForOneHopIsNotKept) {
  const Answer answer = Made({}, HeadOf(200, {{"Date", kDate},
                                              {"Connection", "keep-alive, a, cache-control"},
                                              {"A", "1"},
                                              {"B", "2"},
                                              {"Cache-Control", "max-age=60"},
                                              {"Keep-Alive", "timeout=5"},
                                              {"Transfer-Encoding", "chunked"},
                                              {"TE", "x"},
                                              {"Upgrade", "x"},
                                              {"Proxy-Connection", "x"},
                                              {"Proxy-Authenticate", "x"},
                                              {"Proxy-Authentication-Info", "x"},
                                              {"Proxy-Authorization", "x"},
                                              {"Age", "7"},
                                              {"Set-Cookie", "a=b"},
                                              {"Set-Cookie", "c=d"}}));
  EXPECT_THAT(LinesOf(answer.head.fields),
              ElementsAre("Date: Sun, 06 Nov 1994 08:49:37 GMT", "B: 2", "Cache-Control: max-age=60",
                          "Set-Cookie: a=b", "Set-Cookie: c=d", "Content-Length: 4"));
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_EQ(answer.head.reason, "Reason");
  EXPECT_EQ(answer.head.framing, http::BodyFraming::kLength);
  EXPECT_EQ(answer.head.content_length, 4);
  EXPECT_EQ(answer.body, "body");
}

// RFC 9110 section 6.6.1.
TEST(AnswerTest, ADateThatIsMissingIsWhenItCame) {
  EXPECT_THAT(LinesOf(Made({}, HeadOf(404, {})).head.fields),
              ElementsAre("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Content-Length: 4"));
  const Answer answer = MakeAnswer(*Asked(), HeadOf(404, {}), "", kNow, kNow - seconds(3600), hours(1));
  EXPECT_EQ(answer.head.fields.Find("date"), kDate);
  EXPECT_EQ(answer.age_then, Micros{});
}

TEST(AnswerTest, FieldsAreKeptAsLinesThatAreForwardedInOnePiece) {
  const Answer answer = Made({}, HeadOf(200, {{"A", "1"}, {"B", ""}}));
  EXPECT_EQ(answer.head.fields.Line(0), "A: 1\r\n");
  EXPECT_EQ(answer.head.fields.Line(1), "B: \r\n");
}

TEST(AnswerTest, APostsCookieIsNotKept) {
  const Answer answer =
      Made(Posted("{}"), HeadOf(200, {{"Date", kDate}, {"Set-Cookie", "a=b"}, {"Vary", "Foo"}}));
  EXPECT_THAT(LinesOf(answer.head.fields),
              ElementsAre("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Vary: Foo", "Content-Length: 4"));
  EXPECT_TRUE(answer.varies.empty());  // its key has every field
}

TEST(AnswerTest, WhatItTakesInMemoryGrowsWithAllOfIt) {
  const size_t small = Made({}, HeadOf(200, {})).bytes();
  EXPECT_GE(Made({}, HeadOf(200, {}), std::string(10'000, 'x')).bytes(), small + 9'980);
  EXPECT_GE(Made({}, HeadOf(200, {{"A", std::string(1000, 'x')}})).bytes(), small + 1000);
  EXPECT_GE(Made({}, HeadOf(200, {{"Vary", "a-rather-long-name-of-a-field"}})).bytes(), small + 60);
  std::string roomy = "body";
  roomy.reserve(100'000);
  EXPECT_LE(Made({}, HeadOf(200, {}), std::move(roomy)).bytes(), small + 100);
}

// Sections 3.2, 4.3.4.
TEST(FreshenedTest, FieldsOfThe304TakeThePlaceOfThoseOfTheirNames) {
  const Answer old = Made({}, HeadOf(200, {{"Date", kHourAgo},
                                           {"ETag", "\"a\""},
                                           {"Cache-Control", "max-age=60"},
                                           {"X", "1"},
                                           {"X", "2"},
                                           {"Stays", "here"},
                                           {"Content-Type", "text/plain"},
                                           {"Content-Encoding", "br"}}));
  const auto confirmed = HeadOf(304, {{"Date", kDate},
                                      {"Cache-Control", "max-age=3600"},
                                      {"x", "3"},
                                      {"New", "4"},
                                      {"Connection", "Hop"},
                                      {"Hop", "5"},
                                      {"Content-Length", "10"},
                                      {"Content-Type", "text/html"},
                                      {"Content-Encoding", "gzip"},
                                      {"Content-Range", "bytes 0-1/2"}});
  const Answer fresh = Freshened(old, *Asked(), confirmed, kNow, kNow, Micros{});
  EXPECT_THAT(LinesOf(fresh.head.fields),
              ElementsAre("ETag: \"a\"", "Stays: here", "Content-Type: text/plain", "Content-Encoding: br",
                          "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Cache-Control: max-age=3600", "x: 3",
                          "New: 4", "Content-Length: 4"));
  EXPECT_EQ(fresh.fresh_for, hours(1));
  EXPECT_EQ(fresh.age_then, Micros{});
  EXPECT_EQ(fresh.head.status, 200);
  EXPECT_EQ(fresh.body, "body");
}

TEST(FreshenedTest, A304WithoutADateIsAsOldAsItsAge) {
  const Answer old =
      Made({}, HeadOf(200, {{"Date", kHourAgo}, {"Age", "500"}, {"Cache-Control", "max-age=60"}}));
  const Answer fresh = Freshened(old, *Asked(), HeadOf(304, {}), kNow - seconds(1), kNow, Micros{});
  EXPECT_EQ(fresh.age_then, seconds(1));
  EXPECT_TRUE(fresh.FreshAt(kNow));
  EXPECT_EQ(Freshened(old, *Asked(), HeadOf(304, {{"Age", "9"}}), kNow, kNow, Micros{}).age_then, seconds(9));
}

TEST(FreshenedTest, CookiesAreKeptOnlyWhereTheAnswerSaysHowLongItIsFresh) {
  const Lines cookie = {{"Set-Cookie", "a=1"}, {"set-cookie", "b=2"}};
  const Answer old = Made({}, HeadOf(200, {{"ETag", "\"a\""}, {"Cache-Control", "no-cache"}}));
  EXPECT_FALSE(
      Freshened(old, *Asked(), HeadOf(304, cookie), kNow, kNow, Micros{}).head.fields.Find("set-cookie"));
  const Answer fresh = Made({}, HeadOf(200, {{"ETag", "\"a\""}, {"Cache-Control", "max-age=60"}}));
  EXPECT_TRUE(
      Freshened(fresh, *Asked(), HeadOf(304, cookie), kNow, kNow, Micros{}).head.fields.Find("set-cookie"));
}

TEST(FreshenedTest, A304OfAnotherTagSpeaksOfAnotherAnswer) {
  const Answer answer = Made({}, HeadOf(200, {{"ETag", "\"a\""}}));
  EXPECT_TRUE(Confirms(HeadOf(304, {}), answer));
  EXPECT_TRUE(Confirms(HeadOf(304, {{"ETag", "W/\"a\""}}), answer));
  EXPECT_FALSE(Confirms(HeadOf(304, {{"ETag", "\"b\""}}), answer));
}

}  // namespace
}  // namespace apiquota::cache
