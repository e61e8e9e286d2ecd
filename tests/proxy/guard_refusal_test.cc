// How a refusal of the guard's is told.
#include "proxy/guard_refusal.h"

#include <gtest/gtest.h>

#include "provider/catalogue.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SystemTime kNow{seconds(1'795'359'600)};

RefusalAnswer AnswerOf(const guard::Refusal& refusal, std::string_view api, SystemTime now) {
  static const auto exporters = provider::Catalogue::Embedded();
  return proxy::AnswerOf(refusal, api, *exporters->Find("openai"), now);
}

std::string_view Field(const RefusalAnswer& answer, std::string_view name) {
  return answer.head.fields.Find(name).value_or("(none)");
}

guard::Refusal Tokens(Micros wait) {
  return {.reason = guard::Reason::kPace,
          .status = 429,
          .until = kNow + wait,
          .resource = "gpt-5",
          .quota = "tokens",
          .limit = 30'000,
          .window_seconds = 60};
}

TEST(GuardRefusalTest, TheNumbersAreThoseOfTheRuleThatRefused) {
  const RefusalAnswer answer = AnswerOf(Tokens(milliseconds(11'001)), "openai-prod", kNow);
  EXPECT_EQ(answer.head.status, 429);
  EXPECT_EQ(answer.head.content_length, answer.body.size());
  EXPECT_EQ(Field(answer, "retry-after"), "12");
  EXPECT_EQ(Field(answer, "ratelimit"), "\"apiquota-tokens\";r=0;t=12");
  EXPECT_EQ(Field(answer, "ratelimit-policy"), "\"apiquota-tokens\";q=30000;w=60");
  EXPECT_EQ(
      Field(answer, "proxy-status"),
      "apiquota; error=http_request_denied; details=\"apiquota holds this request to openai-prod back: quota "
      "tokens of gpt-5: not enough is left of it; it could go in 12 s\"");
  EXPECT_EQ(Field(answer, "x-should-retry"), "(none)");
  EXPECT_EQ(Field(answer, "cache-control"), "no-store");
  EXPECT_NE(answer.body.find("\"message\": \"apiquota holds this request to openai-prod back"),
            std::string::npos)
      << answer.body;
}

TEST(GuardRefusalTest, NobodyIsToldToComeBackAtOnce) {
  EXPECT_EQ(RetryAfterOf(Tokens(Micros(0)), kNow), 1U);
  EXPECT_EQ(RetryAfterOf(Tokens(seconds(-5)), kNow), 1U);
  EXPECT_EQ(RetryAfterOf(Tokens(Micros(1)), kNow), 1U);
  guard::Refusal never = Tokens(Micros(0));
  never.until = SystemTime::max();
  EXPECT_EQ(RetryAfterOf(never, kNow), 366U * 86400);
}

TEST(GuardRefusalTest, AnSdkIsKeptFromComingBackOnlyWhereTheWaitIsLong) {
  EXPECT_EQ(Field(AnswerOf(Tokens(seconds(60)), "a", kNow), "x-should-retry"), "(none)");
  EXPECT_EQ(Field(AnswerOf(Tokens(seconds(61)), "a", kNow), "x-should-retry"), "false");
}

TEST(GuardRefusalTest, AFullQueueNamesItselfAndNoQuota) {
  guard::Refusal full;
  full.reason = guard::Reason::kQueue;
  full.status = 503;
  full.until = kNow + seconds(3);
  const RefusalAnswer answer = AnswerOf(full, "a", kNow);
  EXPECT_EQ(answer.head.status, 503);
  EXPECT_EQ(answer.head.reason, "Service Unavailable");
  EXPECT_EQ(Field(answer, "ratelimit"), "\"apiquota-queue\";r=0;t=3");
  EXPECT_EQ(Field(answer, "ratelimit-policy"), "(none)");
  full.until = kNow + seconds(64);
  EXPECT_EQ(Field(AnswerOf(full, "a", kNow), "x-should-retry"), "(none)") << "room may come sooner";
}

TEST(GuardRefusalTest, WhoCantBeSentOnceMoreIsNotToldOfAnEmptyQuota) {
  guard::Refusal refusal;
  refusal.reason = guard::Reason::kRetry;
  refusal.until = kNow + seconds(3);
  EXPECT_EQ(
      SentenceOf(refusal, "a", kNow),
      "apiquota holds this request to a back: the API has refused it, and it is to be sent once more; it "
      "could go in 3 s");
  refusal.status = 503;
  EXPECT_EQ(
      SentenceOf(refusal, "a", kNow),
      "apiquota holds this request to a back: the agent stops or leaves this API before its turn comes; it "
      "could go in 3 s");
}

TEST(GuardRefusalTest, ABreakerIsNotToldAsTheAgentsStop) {
  guard::Refusal refusal;
  refusal.reason = guard::Reason::kBreaker;
  refusal.status = 503;
  refusal.until = kNow + seconds(3);
  EXPECT_EQ(
      SentenceOf(refusal, "a", kNow),
      "apiquota holds this request to a back: it has failed again and again, and is left alone; it could "
      "go in 3 s");
}

TEST(GuardRefusalTest, WhatAnApiCallsAQuotaCantBreakAField) {
  guard::Refusal odd = Tokens(seconds(1));
  odd.quota = "a\"b\\c\r\nd";
  const RefusalAnswer answer = AnswerOf(odd, "a", kNow);
  EXPECT_EQ(Field(answer, "ratelimit"), "\"apiquota-a\\\"b\\\\c??d\";r=0;t=1");
  EXPECT_EQ(Field(answer, "proxy-status").find('\n'), std::string_view::npos);
}

TEST(GuardRefusalTest, ADelayIsToldInHundredthsWithItsReason) {
  EXPECT_EQ(DelayText(milliseconds(420), guard::Reason::kPace, "tokens"), "0.42;reason=pace;quota=tokens");
  EXPECT_EQ(DelayText(Micros(1), guard::Reason::kQueue, ""), "0.01;reason=queue");
  EXPECT_EQ(DelayText(seconds(65), guard::Reason::kRetryAfter, "5h \"x\""),
            "65;reason=retry_after;quota=\"5h \\\"x\\\"\"");
}

TEST(GuardRefusalTest, ALimitOfTheOperatorsIsCalledByItsNameAndToldInItsNumbers) {
  static const auto exporters = provider::Catalogue::Embedded();
  const guard::Refusal refusal{.reason = guard::Reason::kLimit,
                               .until = kNow + milliseconds(41'001),
                               .resource = {},
                               .quota = "default",
                               .limit = 10,
                               .window_seconds = 60};
  guard::LimitStanding standing{
      .name = "default", .limit = 10, .remaining = 0, .window = seconds(60), .reset = milliseconds(41'001)};
  standing.words = std::make_shared<const guard::LimitWords>(WordsOf(standing));
  const RefusalAnswer answer =
      proxy::AnswerOf(refusal, "demo", *exporters->Find("generic"), kNow, std::span(&standing, 1), kNow);
  EXPECT_EQ(answer.head.status, 429);
  EXPECT_EQ(Field(answer, "retry-after"), "42");
  EXPECT_EQ(Field(answer, "ratelimit"), "\"apiquota-default\";r=0;t=42");
  EXPECT_EQ(Field(answer, "ratelimit-policy"), "\"apiquota-default\";q=10;w=60");
  EXPECT_EQ(Field(answer, "x-ratelimit-reset"), "1795359642");
  EXPECT_EQ(Field(answer, "x-should-retry"), "(none)");
  EXPECT_NE(answer.body.find("not enough is left of limit default (10 in 60 s); it could go in 42 s"),
            std::string::npos)
      << answer.body;
  EXPECT_NE(answer.body.find("\"violated-policies\":[\"apiquota-default\"]"), std::string::npos)
      << answer.body;
}

}  // namespace
}  // namespace apiquota::proxy
