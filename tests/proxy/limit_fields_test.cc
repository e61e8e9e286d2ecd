// What answers say of limits of the operator's own.
#include "proxy/limit_fields.h"

#include <gtest/gtest.h>

#include <vector>

namespace apiquota::proxy {
namespace {

using guard::LimitRule;
using guard::LimitStanding;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SystemTime kNow{seconds(1'795'359'600)};

LimitStanding Requests(std::string name, double limit, double remaining, Micros reset) {
  LimitStanding standing{
      .name = std::move(name), .limit = limit, .remaining = remaining, .window = seconds(60), .reset = reset};
  standing.words = std::make_shared<const guard::LimitWords>(WordsOf(standing));
  return standing;
}

LimitStanding Tokens() {
  LimitStanding tokens = Requests("a-day", 2'000'000, 3, seconds(86'000));
  tokens.unit = LimitRule::Unit::kTokens;
  tokens.window = seconds(86'400);
  tokens.words = std::make_shared<const guard::LimitWords>(WordsOf(tokens));
  return tokens;
}

std::string Said(const http::Fields& fields, std::string_view name) {
  return fields.Joined(name).value_or("(none)");
}

TEST(LimitFieldsTest, AllLimitsStandInOneListAndTheOlderFieldsAreTheTightestsInRequests) {
  http::Fields fields;
  const std::vector<LimitStanding> standings = {Requests("default", 10, 7, milliseconds(41'001)), Tokens(),
                                                Requests("bursts", 600, 5, seconds(0))};
  AddLimitFields(standings, kNow + milliseconds(1), &fields);
  EXPECT_EQ(Said(fields, "RateLimit"),
            "\"apiquota-default\";r=7;t=42, \"apiquota-a-day\";r=3;t=86000, \"apiquota-bursts\";r=5;t=0");
  EXPECT_EQ(Said(fields, "RateLimit-Policy"),
            "\"apiquota-default\";q=10;w=60, \"apiquota-a-day\";q=2000000;w=86400;qu=\"tokens\", "
            "\"apiquota-bursts\";q=600;w=60");
  EXPECT_EQ(Said(fields, "X-RateLimit-Limit"), "600");
  EXPECT_EQ(Said(fields, "X-RateLimit-Remaining"), "5");
  EXPECT_EQ(Said(fields, "X-RateLimit-Reset"), "1795359601");
}

TEST(LimitFieldsTest, TwoValuesOfOneFieldAreNeverSent) {
  for (const char* name : {"x-ratelimit-limit", "X-RateLimit-Remaining-Requests", "X-Rate-Limit-Reset",
                           "X_RateLimit_Limit", "RateLimit-Limit", "ratelimit", "RateLimit-Policy"}) {
    http::Fields fields;
    fields.Add(name, "1");
    AddLimitFields(std::vector{Requests("default", 10, 7, seconds(1))}, kNow, &fields);
    EXPECT_EQ(Said(fields, "X-RateLimit-Reset"), "(none)") << name;
    EXPECT_NE(Said(fields, "RateLimit").find("\"apiquota-default\";r=7;t=1"), std::string::npos) << name;
  }
  http::Fields others;
  others.Add("Anthropic-RateLimit-Requests-Limit", "50");
  others.Add("X-Request-Id", "7");
  AddLimitFields(std::vector{Requests("default", 10, 7, seconds(1))}, kNow, &others);
  EXPECT_EQ(Said(others, "X-RateLimit-Limit"), "10");
}

TEST(LimitFieldsTest, WithoutLimitsNothingIsAdded) {
  http::Fields fields;
  AddLimitFields({}, kNow, &fields);
  EXPECT_TRUE(fields.empty());
}

TEST(LimitFieldsTest, ARefusalsNumbersAreThoseOfTheLimitThatRefused) {
  guard::Refusal refusal;
  refusal.reason = guard::Reason::kLimit;
  refusal.until = kNow + seconds(30);
  refusal.quota = "b";
  http::Fields fields;
  const std::vector<LimitStanding> standings = {Requests("b", 5, 2, seconds(1)),
                                                Requests("a", 1, 0, seconds(9))};
  AddRefusedLimitFields(refusal, standings, 30, kNow, &fields);
  EXPECT_EQ(Said(fields, "RateLimit"), "\"apiquota-b\";r=0;t=30, \"apiquota-a\";r=0;t=9");
  EXPECT_EQ(Said(fields, "X-RateLimit-Limit"), "5");
  EXPECT_EQ(Said(fields, "X-RateLimit-Remaining"), "0");
  EXPECT_EQ(Said(fields, "X-RateLimit-Reset"), "1795359630");
}

}  // namespace
}  // namespace apiquota::proxy
