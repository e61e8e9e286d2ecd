// RFC 9111 section 5.2: how directives are read.
#include "cache/cache_control.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "cache/freshness.h"
#include "tests/cache/ask.h"

namespace apiquota::cache {
namespace {

std::optional<Micros> MaxAge(std::string_view value) {
  return ReadResponseDirectives(FieldsOf({{"Cache-Control", value}})).max_age;
}

RequestDirectives Wished(std::string_view value) {
  RequestDirectives directives;
  NoteRequestDirectives(value, &directives);
  return directives;
}

TEST(CacheControlTest, NamesCompareWithoutCaseAndExtensionsAreSteppedOver) {
  EXPECT_EQ(MaxAge("MaX-aGe=3600"), seconds(3600));
  EXPECT_EQ(MaxAge("foo, bar=baz , max-age=5"), seconds(5));
  EXPECT_EQ(MaxAge("foo=\"a, max-age=9\", max-age=5"), seconds(5));
  EXPECT_EQ(MaxAge("foo=\"a\\\", max-age=9\""), std::nullopt);
  EXPECT_EQ(MaxAge("max-agee=9, xmax-age=9"), std::nullopt);
}

TEST(CacheControlTest, ArgumentsMayBeQuotedOrNot) {
  EXPECT_EQ(MaxAge("max-age=\"3600\""), seconds(3600));
  EXPECT_EQ(MaxAge("max-age=003600"), seconds(3600));
}

TEST(CacheControlTest, WhatIsNoNumberMakesStale) {
  for (const std::string_view value :
       {"max-age", "max-age=", "max-age=-3600", "max-age='3600'", "max-age=3600.0", "max-age=1a",
        "max-age=a1", "max-age =3600", "max-age= 3600", "max-age=\"3600", "max-age=\"3600\"0", "max-age=1 2",
        "max-age=\""}) {
    EXPECT_EQ(MaxAge(value), Micros{}) << value;
  }
}

TEST(CacheControlTest, OfWhatIsSaidTwiceTheStricterCounts) {
  EXPECT_EQ(MaxAge("max-age=1800, max-age=1"), seconds(1));
  EXPECT_EQ(MaxAge("max-age=1, max-age=1800"), seconds(1));
  const auto said = ReadResponseDirectives(FieldsOf({{"cache-control", "max-age=10, stale-if-error=9"},
                                                     {"Cache-Control", "max-age=20, stale-if-error=3"}}));
  EXPECT_EQ(said.max_age, seconds(10));
  EXPECT_EQ(said.stale_if_error, seconds(3));
  EXPECT_EQ(Wished("min-fresh=1, min-fresh=5").min_fresh, seconds(5));
  EXPECT_EQ(Wished("max-stale, max-stale=5").max_stale, seconds(5));
}

// Section 1.2.2.
TEST(CacheControlTest, WhatIsTooLargeIsTheLongestThatCanBeSaid) {
  EXPECT_EQ(MaxAge("max-age=2147483647"), seconds(2147483647));
  EXPECT_EQ(MaxAge("max-age=2147483649"), kDeltaMax);
  EXPECT_EQ(MaxAge("max-age=99999999999999999999999999"), kDeltaMax);
}

TEST(CacheControlTest, NoCacheWithNamesOfFieldsIsNoCache) {
  EXPECT_TRUE(ReadResponseDirectives(FieldsOf({{"Cache-Control", "no-cache=\"a, b\", max-age=9"}})).no_cache);
  EXPECT_TRUE(ReadResponseDirectives(FieldsOf({{"Cache-Control", "private=\"x\",No-StOrE"}})).no_store);
}

TEST(CacheControlTest, DirectivesOfSharedCachesAreNotRead) {
  const auto said =
      ReadResponseDirectives(FieldsOf({{"Cache-Control", "s-maxage=3600, proxy-revalidate, immutable"},
                                       {"CDN-Cache-Control", "max-age=3600"}}));
  EXPECT_EQ(said.max_age, std::nullopt);
  EXPECT_FALSE(said.must_revalidate);
}

TEST(CacheControlTest, AWishThatIsNoNumberIsAsStrictAsCanBe) {
  EXPECT_EQ(Wished("max-age=x").max_age, Micros{});
  EXPECT_EQ(Wished("min-fresh=x").min_fresh, kDeltaMax);
  EXPECT_EQ(Wished("max-stale=x").max_stale, Micros{});
  EXPECT_EQ(Wished("max-stale").max_stale, kDeltaMax);
  EXPECT_TRUE(Wished("only-if-cached").only_if_cached);
}

// Whatever stands there, an answer is never fresh for longer than the least number in it that follows a
// max-age.
TEST(CacheControlTest, RandomTextsNeverGiveMoreFreshnessThanSaid) {
  std::mt19937_64 random(7);
  const std::string_view pieces[] = {"max-age", "=",          "60", "\"",         ",",  " ", "no-store",
                                     "9",       "\\",         "x",  "max-age=60", "\t", ";", "s-maxage=9999",
                                     "'",       "Max-Age=30", "-",  "foo="};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const size_t count = random() % 9;
    for (size_t i = 0; i < count; ++i) text.append(pieces[random() % std::size(pieces)]);
    const auto head = HeadOf(200, {{"Cache-Control", text}, {"Date", kDate}});
    const Micros lifetime = Lifetime(head, ReadResponseDirectives(head.fields), kNow);
    std::string digits;
    Micros most{};
    for (const char c : ToLower(text) + "!") {
      if (c >= '0' && c <= '9') {
        digits.push_back(c);
      } else if (!digits.empty()) {
        most = std::max(most, ParseDelta(digits).value_or(Micros{}));
        digits.clear();
      }
    }
    ASSERT_LE(lifetime, most) << text;
    const bool named = ToLower(text).find("max-age=") != std::string::npos;
    ASSERT_TRUE(named || lifetime == Micros{}) << text;
    RequestDirectives wish;
    NoteRequestDirectives(text, &wish);
  }
}

}  // namespace
}  // namespace apiquota::cache
