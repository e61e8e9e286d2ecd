// RFC 9111 section 3: what may be kept, for a private cache; and what identical requests may share.
#include <gtest/gtest.h>

#include "cache/answer.h"
#include "tests/cache/ask.h"

namespace apiquota::cache {

bool operator==(const Storable& a, const Storable& b) {
  return a.keep == b.keep && a.shareable == b.shareable;
}
void PrintTo(const Storable& s, std::ostream* out) {
  *out << "keep " << s.keep << ", shareable " << s.shareable;
}

namespace {

constexpr Storable kNeither = {};
constexpr Storable kShared = {.keep = false, .shareable = true};
constexpr Storable kKept = {.keep = true, .shareable = false};
constexpr Storable kBoth = {.keep = true, .shareable = true};

Storable Of(int status, Lines lines, const Asked& asked = {}) { return Judge(*asked, HeadOf(status, lines)); }

TEST(JudgeTest, WhatIsFreshOrCanBeAskedAboutIsKept) {
  EXPECT_EQ(Of(200, {{"Cache-Control", "max-age=60"}}), kBoth);
  EXPECT_EQ(Of(200, {{"Expires", kInAnHour}, {"Date", kDate}}), kBoth);
  EXPECT_EQ(Of(200, {{"Expires", "Fri, 01 Jan 2038 01:01:01 GMT"}}), kBoth);
  EXPECT_EQ(Of(200, {{"Expires", "Thu, 01 Jan 1970 00:00:00 GMT"}}), kNeither);
  EXPECT_EQ(Of(200, {{"ETag", "\"a\""}}), kBoth);
  EXPECT_EQ(Of(200, {{"Last-Modified", kHourAgo}}), kBoth);
  EXPECT_EQ(Of(200, {{"Cache-Control", "private, max-age=60"}}), kBoth);
  EXPECT_EQ(Of(500, {{"Cache-Control", "max-age=60"}}), kBoth);
  EXPECT_EQ(Of(302, {{"Cache-Control", "public"}, {"ETag", "\"a\""}}), kBoth);
}

TEST(JudgeTest, WhatCanNeverBeUsedAgainTakesNoRoom) {
  EXPECT_EQ(Of(200, {}), kShared);
  EXPECT_EQ(Of(200, {{"ETag", ""}}), kShared);
  EXPECT_EQ(Of(200, {{"Cache-Control", "private"}}), kShared);
  EXPECT_EQ(Of(302, {{"ETag", "\"a\""}}), kShared);
  EXPECT_EQ(Of(429, {{"ETag", "\"a\""}}), kShared);
}

TEST(JudgeTest, WhatMayBeServedWhileTheApiFailsIsKept) {
  EXPECT_EQ(Of(200, {{"Cache-Control", "private, stale-if-error=60"}}), kBoth);
  EXPECT_EQ(Judge(*Asked(), HeadOf(200, {}), seconds(60)), kBoth);
  EXPECT_EQ(Judge(*Asked(), HeadOf(200, {{"Cache-Control", "stale-if-error=0"}}), seconds(60)), kShared);
  EXPECT_EQ(Judge(*Asked(), HeadOf(200, {{"Cache-Control", "must-revalidate"}}), seconds(60)), kShared);
  EXPECT_EQ(Judge(*Asked(), HeadOf(500, {}), seconds(60)), kShared);
}

TEST(JudgeTest, NoStoreIsForNobodyElse) {
  EXPECT_EQ(Of(200, {{"Cache-Control", "no-store, max-age=60"}, {"ETag", "\"a\""}}), kNeither);
  EXPECT_EQ(Of(200, {{"Cache-Control", "max-age=60"}}, {{"Cache-Control", "no-store"}}), kNeither);
}

TEST(JudgeTest, WhatIsStaleAtOnceIsKeptToBeAskedAboutButNotShared) {
  EXPECT_EQ(Of(200, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}), kKept);
  EXPECT_EQ(Of(200, {{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}), kKept);
  EXPECT_EQ(Of(200, {{"Expires", "0"}, {"Last-Modified", kHourAgo}}), kKept);
  EXPECT_EQ(Of(200, {{"Expires", "Sunday, 06-Nov-38 08:49:37 GMT"}, {"Date", kDate}}), kBoth);
  EXPECT_EQ(Of(200, {{"Cache-Control", "max-age=0"}}), kNeither);
}

TEST(JudgeTest, ACookieIsKeptOnlyWithFreshnessInSoManyWords) {
  EXPECT_EQ(Of(200, {{"Set-Cookie", "a=b"}, {"ETag", "\"a\""}}), kNeither);
  EXPECT_EQ(Of(200, {{"Set-Cookie", "a=b"}, {"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}), kNeither);
  EXPECT_EQ(Of(200, {{"Set-Cookie", "a=b"}, {"Cache-Control", "max-age=60"}}), kBoth);
}

TEST(JudgeTest, PartsConfirmationsStreamsAndWhatVariesByAnythingAreForOneAlone) {
  EXPECT_EQ(Of(206, {{"Cache-Control", "max-age=60"}}), kNeither);
  EXPECT_EQ(Of(304, {{"Cache-Control", "max-age=60"}}), kNeither);
  EXPECT_EQ(Of(200, {{"Cache-Control", "max-age=60"}, {"Vary", "a, *"}}), kNeither);
  EXPECT_EQ(Of(200, {{"Cache-Control", "max-age=60"}, {"Content-Type", "Text/Event-Stream;charset=utf-8"}}),
            kNeither);
  EXPECT_EQ(Of(200, {{"Content-Type", "application/x-ndjson"}}), kNeither);
}

// Section 5.2.2.3.
TEST(JudgeTest, MustUnderstandIsKeptOnlyWhereTheStatusIsKnown) {
  EXPECT_EQ(Of(200, {{"Cache-Control", "must-understand, max-age=60"}}), kBoth);
  EXPECT_EQ(Of(200, {{"Cache-Control", "must-understand, no-store, max-age=60"}}), kBoth);
  EXPECT_EQ(Of(599, {{"Cache-Control", "must-understand, no-store, max-age=60"}}), kNeither);
  EXPECT_EQ(Of(599, {{"Cache-Control", "must-understand, max-age=60"}}), kShared);
}

// RFC 6585.
TEST(JudgeTest, ARefusalForTooManyRequestsIsNeverKept) {
  for (const int status : {428, 429, 431, 511}) {
    EXPECT_EQ(Of(status, {{"Cache-Control", "public, max-age=60"}}), kShared) << status;
  }
}

TEST(JudgeTest, NothingOfRequestsThatNoMemoryAnswers) {
  const Lines fresh = {{"Cache-Control", "max-age=60"}};
  EXPECT_EQ(Of(200, fresh, Asked("HEAD", "/")), kNeither);
  EXPECT_EQ(Of(200, fresh, Asked("POST", "/")), kNeither);
  EXPECT_EQ(Of(200, fresh, Asked("DELETE", "/")), kNeither);
  EXPECT_EQ(Of(200, fresh, Asked("get", "/")), kNeither);
  EXPECT_EQ(Of(200, fresh, {{"Range", "bytes=0-1"}}), kNeither);
  EXPECT_EQ(Of(200, fresh, {{"If-Match", "\"a\""}}), kNeither);
}

TEST(JudgeTest, OfAPostByOptInOnly200IsKept) {
  EXPECT_EQ(Of(200, {{"Cache-Control", "no-store"}, {"Set-Cookie", "a=b"}}, Posted("{}")), kBoth);
  EXPECT_EQ(Of(201, {}, Posted("{}")), kNeither);
  EXPECT_EQ(Of(429, {{"Cache-Control", "max-age=60"}}, Posted("{}")), kNeither);
  EXPECT_EQ(Of(200, {{"Content-Type", "text/event-stream"}}, Posted("{}")), kNeither);
  Asked wary = Posted("{}");
  wary.fields = FieldsOf({{"Cache-Control", "no-store"}});
  EXPECT_EQ(Of(200, {}, wary), kNeither);
}

}  // namespace
}  // namespace apiquota::cache
