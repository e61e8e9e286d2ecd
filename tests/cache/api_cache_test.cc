// RFC 9111 sections 4, 4.1, 4.2.4, 4.4, 5.2.1; RFC 5861 section 4.
#include "cache/api_cache.h"

#include <gtest/gtest.h>

#include "tests/cache/api_cache_under_test.h"

namespace apiquota::cache {
namespace {

const Lines kMinute = {{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}, {"Date", kDate}};

TEST(ApiCacheTest, WhatIsFreshIsServedAndWhatIsStaleIsAskedAbout) {
  CacheUnderTest test;
  EXPECT_EQ(test.UseOf({}), Use::kNothing);
  test.Keep({}, kMinute);
  EXPECT_EQ(test.UseOf({}, kNow + seconds(59)), Use::kServe);
  EXPECT_EQ(test.UseOf({}, kNow + seconds(60)), Use::kRevalidate);
  EXPECT_EQ(test.Find({}, kNow + seconds(60)).answer->body, "body");
  test.Keep({}, {{"Cache-Control", "max-age=60"}}, "body", kNow + seconds(60));
  EXPECT_EQ(test.UseOf({}, kNow + seconds(120)), Use::kNothing);
}

TEST(ApiCacheTest, AHeadIsAnsweredFromWhatWasGotAndAskedForItselfWhenThatIsStale) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  EXPECT_EQ(test.UseOf(Asked("HEAD", "/v1/x")), Use::kServe);
  EXPECT_EQ(test.UseOf(Asked("HEAD", "/v1/x"), kNow + seconds(60)), Use::kNothing);
  test.cache->Keep(*Asked("HEAD", "/v1/y"), Kept(Asked("HEAD", "/v1/y"), HeadOf(200, kMinute)));
  EXPECT_EQ(test.cache->View().answers, 1);
}

TEST(ApiCacheTest, NobodyIsServedWhatWasForAnotherCredential) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  Asked other;
  other.credential = "d";
  EXPECT_EQ(test.UseOf(other), Use::kNothing);
}

TEST(ApiCacheTest, APostIsServedByItsWholeBody) {
  CacheUnderTest test;
  test.Keep(Posted("{\"a\":1}"), {});
  EXPECT_EQ(test.UseOf(Posted("{\"a\":1}")), Use::kServe);
  EXPECT_EQ(test.UseOf(Posted("{\"a\":2}")), Use::kNothing);
  EXPECT_EQ(test.UseOf(Posted("{\"a\":1}"), kNow + hours(1)), Use::kNothing);
  EXPECT_TRUE(test.Find(Asked("POST", "/v1/embeddings")).bypass);
}

TEST(ApiCacheTest, RequestsThatNoMemoryAnswersPassBy) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  for (const Asked& asked : {Asked({{"Range", "bytes=0-1"}}), Asked({{"Cache-Control", "no-store"}}),
                             Asked({{"If-Match", "\"a\""}}), Asked({{"If-Unmodified-Since", kDate}}),
                             Asked("PUT", "/v1/x"), Asked("DELETE", "/v1/x"), Asked("OPTIONS", "/v1/x")}) {
    const Found found = test.Find(asked);
    EXPECT_TRUE(found.bypass && found.use == Use::kNothing && !found.answer);
    EXPECT_EQ(test.ForError(asked), nullptr);
  }
  EXPECT_FALSE(test.Find({}).bypass);
}

// Sections 5.2.1.1 to 5.2.1.4, 5.4.
TEST(ApiCacheTest, AClientMayWantItFresher) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  const SystemTime later = kNow + seconds(30);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "no-cache"}}), Use::kRevalidate);
  EXPECT_EQ(test.UseOf({{"Pragma", "no-cache"}}), Use::kRevalidate);
  EXPECT_EQ(test.UseOf({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=99"}}), Use::kServe);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-age=30"}}, later), Use::kServe);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-age=29"}}, later), Use::kRevalidate);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "min-fresh=30"}}, later), Use::kServe);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "min-fresh=31"}}, later), Use::kRevalidate);
}

TEST(ApiCacheTest, AClientMayTakeItStalerButNotWhereTheAnswerForbidsIt) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  const SystemTime stale = kNow + seconds(70);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-stale"}}, stale), Use::kServe);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-stale=10"}}, stale), Use::kServe);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-stale=9"}}, stale), Use::kRevalidate);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-stale, max-age=60"}}, stale), Use::kRevalidate);
  test.Keep({}, {{"Cache-Control", "max-age=60, must-revalidate"}, {"ETag", "\"a\""}});
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-stale"}}, stale), Use::kRevalidate);
  test.Keep({}, {{"Cache-Control", "max-age=60, no-cache"}, {"ETag", "\"a\""}});
  EXPECT_EQ(test.UseOf({{"Cache-Control", "max-stale"}}), Use::kRevalidate);
}

// Section 5.2.1.7.
TEST(ApiCacheTest, OnlyIfCachedIsAnsweredFromHereOrNotAtAll) {
  CacheUnderTest test;
  const Asked only({{"Cache-Control", "only-if-cached"}});
  EXPECT_EQ(test.UseOf(only), Use::kOnlyIfCached);
  test.Keep({}, kMinute);
  EXPECT_EQ(test.UseOf(only), Use::kServe);
  EXPECT_EQ(test.UseOf(only, kNow + seconds(60)), Use::kOnlyIfCached);
  EXPECT_EQ(test.UseOf({{"Cache-Control", "only-if-cached"}, {"Range", "bytes=0-1"}}), Use::kOnlyIfCached);
}

// Section 4.3.1.
TEST(ApiCacheTest, AClientsOwnConditionIsPassedOnUnlessOursSaysTheSame) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  const SystemTime stale = kNow + seconds(60);
  EXPECT_EQ(test.UseOf({{"If-None-Match", "\"b\""}}), Use::kServe);
  EXPECT_EQ(test.UseOf({{"If-None-Match", "\"b\""}}, stale), Use::kNothing);
  EXPECT_EQ(test.UseOf({{"If-None-Match", "\"b\", W/\"a\""}}, stale), Use::kRevalidate);
  EXPECT_EQ(test.UseOf({{"If-Modified-Since", kDate}}, stale), Use::kRevalidate);
}

TEST(ApiCacheTest, EachVariantIsServedToWhoeverSelectsIt) {
  CacheUnderTest test;
  const Lines kVaries = {{"Cache-Control", "max-age=60"}, {"Vary", "Foo"}};
  test.Keep({{"Foo", "1"}}, kVaries, "one");
  test.Keep({{"Foo", "2"}}, kVaries, "two");
  EXPECT_EQ(test.BodyOf({{"Foo", "1"}}), "one");
  EXPECT_EQ(test.BodyOf({{"Foo", "2"}}), "two");
  EXPECT_EQ(test.BodyOf({{"Foo", "3"}}), "");
  EXPECT_EQ(test.BodyOf({}), "");
  test.Keep({{"Foo", "1"}}, kVaries, "newer", kNow + seconds(1));
  EXPECT_EQ(test.BodyOf({{"Foo", "1"}}), "newer");
  EXPECT_EQ(test.cache->View().answers, 2);
  // What does not vary any more answers everyone.
  test.Keep({{"Foo", "1"}}, kMinute, "all", kNow + seconds(2));
  EXPECT_EQ(test.BodyOf({{"Foo", "3"}}), "all");
}

TEST(ApiCacheTest, AnAnswerThatWasAskedForEarlierNeverReplacesALaterOne) {
  CacheUnderTest test;
  test.Keep({}, kMinute, "later", kNow);
  test.Keep({}, kMinute, "earlier", kNow - seconds(1));
  EXPECT_EQ(test.BodyOf({}), "later");
}

// Section 4.4.
TEST(ApiCacheTest, AChangeEndsWhatIsKeptOfItsPathWhoeverAskedAndWithWhateverQuery) {
  CacheUnderTest test;
  Asked other("GET", "/v1/x?a=b");
  other.credential = "d";
  test.Keep({}, kMinute);
  test.Keep(other, kMinute);
  test.Keep(Asked("GET", "/v1/y"), kMinute);
  test.Invalidate(Asked("M-SEARCH", "/v1/x"), 302);
  EXPECT_EQ(test.UseOf({}), Use::kNothing);
  EXPECT_EQ(test.UseOf(other), Use::kNothing);
  EXPECT_EQ(test.ForError({}), nullptr);
  EXPECT_EQ(test.UseOf(Asked("GET", "/v1/y")), Use::kServe);
  test.Keep({}, kMinute, "new", kNow + seconds(1));
  EXPECT_EQ(test.BodyOf({}), "new");
}

TEST(ApiCacheTest, SafeMethodsAndFailuresChangeNothing) {
  CacheUnderTest test;
  test.Keep({}, kMinute);
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"}) {
    test.Invalidate(Asked(method, "/v1/x"));
  }
  for (const int status : {400, 404, 429, 500, 503}) test.Invalidate(Asked("POST", "/v1/x"), status);
  EXPECT_EQ(test.UseOf({}), Use::kServe);
}

TEST(ApiCacheTest, AChangeEndsWhatItsLocationNamesOfTheSameOrigin) {
  CacheUnderTest test;
  const auto keep = [&test](SystemTime at) { test.Keep(Asked("GET", "/v1/y"), kMinute, "body", at); };
  SystemTime at = kNow;
  for (const std::string_view here :
       {"/v1/y", "y", "y?a=b#c", "http://api.example/v1/y", "HTTPS://API.example/v1/y", "//api.example/v1/y",
        "../v1/y", "/v1/%79"}) {
    keep(at += seconds(1));
    test.Invalidate(Asked("POST", "/v1/x"), 201, {{"Location", here}}, at);
    EXPECT_EQ(test.UseOf(Asked("GET", "/v1/y"), at), Use::kNothing) << here;
  }
  for (const std::string_view elsewhere : {"http://other.example/v1/y", "//other.example/v1/y", "urn:y",
                                           "../y", "http://api.example.other/v1/y", "/v1/z", ""}) {
    keep(at += seconds(1));
    test.Invalidate(Asked("POST", "/v1/x"), 201, {{"Content-Location", elsewhere}}, at);
    EXPECT_EQ(test.UseOf(Asked("GET", "/v1/y"), at), Use::kServe) << elsewhere;
  }
}

TEST(ApiCacheTest, WhatWasAskedForBeforeAChangeIsNotKept) {
  CacheUnderTest test;
  test.Invalidate(Asked("DELETE", "/v1/x"), 204, {}, kNow);
  test.Keep({}, kMinute, "before", kNow - seconds(1));
  EXPECT_EQ(test.UseOf({}), Use::kNothing);
  test.Keep({}, kMinute, "after", kNow + seconds(1));
  EXPECT_EQ(test.UseOf({}), Use::kServe);
  test.cache->Clear(kNow + seconds(2));
  EXPECT_EQ(test.UseOf({}), Use::kNothing);
  test.Keep({}, kMinute, "before", kNow + seconds(2));
  EXPECT_EQ(test.cache->View().answers, 0);
}

TEST(ApiCacheTest, APostsAnswerLivesByItsTtlWhateverIsChanged) {
  CacheUnderTest test;
  test.Keep(Posted("{}"), {});
  test.Invalidate(Posted("{}"));
  test.Invalidate(Asked("POST", "/v1/embeddings"));
  EXPECT_EQ(test.UseOf(Posted("{}")), Use::kServe);
}

// A server that knows the tag would answer 412 to one who has set no condition.
TEST(ApiCacheTest, APostIsNeverAskedWithACondition) {
  CacheUnderTest test;
  test.Keep(Posted("{}", seconds(1)), {{"ETag", "\"a\""}, {"Last-Modified", kHourAgo}});
  EXPECT_EQ(test.UseOf(Posted("{}", seconds(1))), Use::kServe);
  EXPECT_EQ(test.UseOf(Posted("{}", seconds(1)), kNow + seconds(1)), Use::kNothing);
}

TEST(ApiCacheTest, AChangeEndsWhatIsKeptUnderAnySpellingOfItsPath) {
  for (const char* spelling : {"/v1/%78", "/v1//x", "/v1/./x", "/v1/y/../x", "/v1%2Fx", "/v1/%78?page=2"}) {
    CacheUnderTest test;
    test.Keep({}, {{"Cache-Control", "max-age=60"}});
    test.Invalidate(Asked("PUT", spelling));
    EXPECT_EQ(test.UseOf({}), Use::kNothing) << spelling;
  }
}

TEST(ApiCacheTest, AChangeOfWhichNoAnswerCameEndsWhatIsKept) {
  CacheUnderTest test;
  test.Keep({}, {{"Cache-Control", "max-age=60"}});
  test.cache->InvalidateUnanswered(*Asked("GET", "/v1/x"), kNow);
  test.cache->InvalidateUnanswered(*Asked("PUT", "/v1/y"), kNow);
  EXPECT_EQ(test.UseOf({}), Use::kServe);
  test.cache->InvalidateUnanswered(*Asked("PUT", "/v1/x"), kNow);
  EXPECT_EQ(test.UseOf({}), Use::kNothing);
}

// Section 4.2.4, RFC 5861 section 4.
TEST(ApiCacheTest, WhileTheApiFailsAStaleAnswerServesForAsLongAsItSays) {
  CacheUnderTest test;
  test.Keep({}, {{"Cache-Control", "max-age=60, stale-if-error=40"}});
  EXPECT_NE(test.ForError({}), nullptr);
  EXPECT_NE(test.ForError({}, kNow + seconds(100)), nullptr);
  EXPECT_EQ(test.ForError({}, kNow + seconds(101)), nullptr);
  EXPECT_NE(test.ForError({{"Cache-Control", "stale-if-error=50"}}, kNow + seconds(110)), nullptr);
  EXPECT_EQ(test.ForError({{"Cache-Control", "no-cache"}}), nullptr);
  EXPECT_EQ(test.ForError({{"Cache-Control", "max-age=9"}}, kNow + seconds(70)), nullptr);
  EXPECT_EQ(test.ForError({{"Cache-Control", "max-age=9"}}, kNow + seconds(10)), nullptr)
      << "fresh, but too old";
  EXPECT_NE(test.ForError({{"Cache-Control", "max-age=9"}}, kNow + seconds(9)), nullptr);
}

TEST(ApiCacheTest, WhereNoTimeIsNamedTheOperatorsCountsButNeverPastMustRevalidate) {
  CacheUnderTest test({.stale_if_error = seconds(30)});
  test.Keep({}, {{"Cache-Control", "max-age=60"}});
  EXPECT_NE(test.ForError({}, kNow + seconds(90)), nullptr);
  EXPECT_EQ(test.ForError({}, kNow + seconds(91)), nullptr);
  test.Keep({}, {{"Cache-Control", "max-age=60, stale-if-error=0"}});
  EXPECT_EQ(test.ForError({}, kNow + seconds(61)), nullptr);
  test.Keep({}, {{"Cache-Control", "max-age=60, must-revalidate"}});
  EXPECT_EQ(test.ForError({}, kNow + seconds(61)), nullptr);
  test.Keep({}, {{"Cache-Control", "max-age=60, no-cache"}, {"ETag", "\"a\""}});
  EXPECT_EQ(test.ForError({}), nullptr);
  test.cache->Configure({.stale_if_error = seconds(60)});
  test.Keep({}, {{"Cache-Control", "max-age=60"}});
  EXPECT_NE(test.ForError({}, kNow + seconds(120)), nullptr);
}

}  // namespace
}  // namespace apiquota::cache
