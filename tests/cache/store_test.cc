// Bounded memory, whatever is asked for.
#include <gtest/gtest.h>

#include <string>

#include "tests/cache/api_cache_under_test.h"

namespace apiquota::cache {
namespace {

const Lines kHour = {{"Cache-Control", "max-age=3600"}};

Asked Page(size_t number) { return Asked("GET", "/v1/pages/" + std::to_string(number)); }

TEST(StoreTest, WhatWasUsedLongestAgoGoesFirst) {
  CacheUnderTest test({.bytes_max = 100'000});
  const std::string body(10'000, 'x');
  for (size_t i = 0; i < 9; ++i) test.Keep(Page(i), kHour, body);
  EXPECT_EQ(test.cache->View().evicted, 0);
  EXPECT_EQ(test.UseOf(Page(0)), Use::kServe);
  test.Keep(Page(9), kHour, body);
  EXPECT_EQ(test.UseOf(Page(0)), Use::kServe);
  EXPECT_EQ(test.UseOf(Page(1)), Use::kNothing);
  EXPECT_EQ(test.cache->View().evicted, 1);
}

TEST(StoreTest, AMillionTargetsTakeNoMoreThanIsAllowed) {
  CacheUnderTest test({.bytes_max = 1024 * 1024});
  const Answer answer = Made({}, HeadOf(200, kHour));
  const auto shared = std::make_shared<const Answer>(answer);
  for (size_t i = 0; i < 1'000'000; ++i) test.cache->Keep(*Page(i), shared);
  const CacheView view = test.cache->View();
  EXPECT_LE(view.bytes, view.bytes_max);
  EXPECT_GT(view.bytes, view.bytes_max - 2000);
  EXPECT_LE(view.answers * answer.bytes(), view.bytes_max);
  EXPECT_EQ(view.answers + view.evicted, 1'000'000);
  EXPECT_EQ(test.UseOf(Page(999'999)), Use::kServe);
}

TEST(StoreTest, OneAnswerTakesAnEighthAtMost) {
  CacheUnderTest test({.bytes_max = 80'000});
  EXPECT_EQ(test.cache->answer_bytes_max(), 10'000);
  test.Keep(Page(1), kHour, std::string(9'000, 'x'));
  EXPECT_EQ(test.UseOf(Page(1)), Use::kServe);
  // … and what it stands for is not served in its place.
  test.Keep(Page(1), kHour, std::string(10'000, 'x'), kNow + seconds(1));
  EXPECT_EQ(test.UseOf(Page(1)), Use::kNothing);
  EXPECT_EQ(test.cache->View().bytes, 0);
}

TEST(StoreTest, NoMoreThanSixteenVariantsOfOneKey) {
  CacheUnderTest test;
  const auto asked = [](size_t i) { return Asked({{"Foo", std::to_string(i)}}); };
  for (size_t i = 0; i < 20; ++i) test.Keep(asked(i), {{"Cache-Control", "max-age=60"}, {"Vary", "Foo"}});
  EXPECT_EQ(test.cache->View().answers, 16);
  EXPECT_EQ(test.UseOf(asked(3)), Use::kNothing);
  EXPECT_EQ(test.UseOf(asked(4)), Use::kServe);
}

TEST(StoreTest, WhatGoesGivesBackAllThatItTook) {
  CacheUnderTest test;
  for (size_t i = 0; i < 100; ++i) {
    Asked asked = Page(i % 10);
    asked.fields = FieldsOf({{"Foo", std::to_string(i)}});
    test.Keep(asked, {{"Cache-Control", "max-age=60"}, {"Vary", "Foo"}});
  }
  EXPECT_EQ(test.cache->View().answers, 100);
  test.cache->Configure({.bytes_max = 0});
  EXPECT_EQ(test.cache->View().answers, 0);
  EXPECT_EQ(test.cache->View().bytes, 0);
  EXPECT_EQ(test.cache->View().evicted, 100);
}

TEST(StoreTest, AHitHoldsItsAnswerWhateverGoes) {
  CacheUnderTest test;
  test.Keep(Page(1), kHour, "kept");
  const Found found = test.Find(Page(1));
  test.cache->Clear(kNow);
  EXPECT_EQ(found.answer->body, "kept");
  EXPECT_EQ(found.answer.use_count(), 1);
}

TEST(StoreTest, MoreChangesThanAreRememberedForgetNone) {
  CacheUnderTest test;
  test.Invalidate(Asked("PUT", "/v1/x"), 200, {}, kNow);
  for (size_t i = 0; i < 5000; ++i) test.Invalidate(Asked("PUT", "/v1/" + std::to_string(i)), 200, {}, kNow);
  test.Keep({}, kHour, "before", kNow - seconds(1));
  EXPECT_EQ(test.UseOf({}), Use::kNothing);
  test.Keep({}, kHour, "after", kNow + seconds(1));
  EXPECT_EQ(test.UseOf({}), Use::kServe);
}

}  // namespace
}  // namespace apiquota::cache
