#include "provider/extract_signals.h"

#include <gtest/gtest.h>

#include "tests/provider/signal_lines.h"

namespace apiquota::provider {
namespace {

TEST(ExtractSignalsTest, OpenAiBucketsWithTheModelAsResource) {
  http::Exchange exchange = Answer(200, {{"X-RateLimit-Limit-Requests", "200"},
                                         {"X-RateLimit-Remaining-Requests", "198"},
                                         {"X-RateLimit-Reset-Requests", "14m24s"},
                                         {"X-RateLimit-Limit-Tokens-Usage-Based", "90000"},
                                         {"X-RateLimit-Remaining-Tokens-Usage-Based", "89980"},
                                         {"X-RateLimit-Reset-Tokens-Usage-Based", "12ms"}});
  exchange.request_body = {{"/model", "gpt-4o"}};
  const Signals signals = Extract("openai", exchange);
  EXPECT_EQ(Lines(signals), (L{"gpt-4o/requests 200 198 2 +864 86400 -",
                               "gpt-4o/tokens-usage-based 90000 89980 20 +0.012 54 -"}));
  EXPECT_EQ(signals.readings[0].kind, QuotaKind::kBucket);
  EXPECT_EQ(signals.readings[1].unit, "tokens");
  EXPECT_EQ(signals.readings[0].reset_absolute, false);
  EXPECT_EQ(signals.throttle, std::nullopt);
}

TEST(ExtractSignalsTest, AResourceThatIsNoNameIsUnread) {
  http::Exchange exchange = Answer(200, {{"x-ratelimit-remaining-requests", "1"}});
  exchange.request_body = {{"/model", "a\nb"}};
  const Signals signals = Extract("openai", exchange);
  EXPECT_EQ(Lines(signals), (L{"/requests - 1 - - - -"}));
  EXPECT_EQ(signals.unread, (std::vector<Unread>{{"/model", "not a name of 1 to 128 printable characters",
                                                  UnreadKind::kMalformed, SignalField::kResource}}));
}

TEST(ExtractSignalsTest, MostConditionsWinThenTheOrderOfTheFile) {
  const auto scope = [](int status, const Headers& headers, std::vector<http::BodyValue> body) {
    http::Exchange exchange = Answer(status, headers);
    exchange.response_body = std::move(body);
    const Signals signals = Extract("github", exchange);
    if (!signals.throttle) return std::string("none");
    return std::string(ToText(signals.throttle->scope)) + " by " +
           std::string(ToText(signals.throttle->signal));
  };
  EXPECT_EQ(scope(403, {}, {}), "none");
  EXPECT_EQ(scope(403, {{"x-ratelimit-remaining", "99"}}, {{"/message", "Must have admin rights"}}), "none");
  EXPECT_EQ(scope(403, {{"x-ratelimit-remaining", "0"}}, {}), "primary by header");
  EXPECT_EQ(scope(403, {{"retry-after", "60"}}, {}), "secondary by header");
  EXPECT_EQ(scope(403, {{"x-ratelimit-remaining", "0"}},
                  {{"/message", "You have exceeded a secondary rate limit"}}),
            "secondary by body");
  EXPECT_EQ(scope(429, {}, {}), "secondary by status");
  EXPECT_EQ(scope(429, {{"x-ratelimit-remaining", "0"}}, {}), "primary by header");
  EXPECT_EQ(scope(200, {{"x-ratelimit-remaining", "0"}}, {}), "none");
}

http::Exchange GoogleRefusal(std::vector<http::BodyValue> body) {
  http::Exchange exchange = Answer(429, {});
  exchange.path = "/v1beta/models/gemini-2.5-pro:generateContent";
  exchange.response_body = std::move(body);
  return exchange;
}

TEST(ExtractSignalsTest, AMemberOfAListsElementNamesItsQuota) {
  const std::string id = "/error/details/*/violations/*/quotaId";
  const std::string value = "/error/details/*/violations/*/quotaValue";
  EXPECT_EQ(Lines(Extract("google-gemini", GoogleRefusal({{value, "250000", {"0", "1"}},
                                                          {id, "RequestsPerDay", {"0", "0"}},
                                                          {value, "100", {"0", "0"}},
                                                          {id, "InputTokensPerMinute", {"0", "1"}},
                                                          {"/error/details/*/retryDelay", "26s", {"2"}}}))),
            (L{"gemini-2.5-pro/InputTokensPerMinute 250000 0 250000 +26 60 -",
               "gemini-2.5-pro/RequestsPerDay 100 0 100 +26 86400 -"}));
  EXPECT_EQ(Lines(Extract("google-gemini", GoogleRefusal({{value, "100", {"0", "0"}}}))), L{})
      << "a number without a name is nobody's";
  EXPECT_EQ(Lines(Extract("google-gemini", GoogleRefusal({{id, "RequestsPerDay", {"0", "0"}}}))), L{})
      << "a name without a number, and no time to wait";
  EXPECT_EQ(Lines(Extract("google-gemini", GoogleRefusal({{id, "RequestsPerDay", {"0", "0"}},
                                                          {id, "a\nb", {"0", "1"}},
                                                          {"/error/details/*/retryDelay", "5s", {"1"}}}))),
            (L{"gemini-2.5-pro/RequestsPerDay - 0 - +5 86400 -"}));
}

TEST(ExtractSignalsTest, APathThatNobodyToldRulesNothingOut) {
  const auto limits = [](const std::string& path, std::vector<http::BodyValue> body) {
    http::Exchange exchange = Answer(200, {});
    exchange.path = path;
    exchange.response_body = std::move(body);
    return Extract("github", exchange);
  };
  const std::vector<http::BodyValue> limit = {{"/resources/*/limit", "60", {"core"}}};
  EXPECT_EQ(Lines(limits("/rate_limit", limit)), Lines(limits("", limit)));
  EXPECT_EQ(Lines(limits("/", limit)), L{});
  const std::vector<http::BodyValue> error = {{"/errors/*/type", "RATE_LIMITED", {"0"}}};
  EXPECT_TRUE(limits("", error).throttle.has_value());
  EXPECT_FALSE(limits("/user", error).throttle.has_value());
}

TEST(ExtractSignalsTest, AResourceMayRenameTheQuota) {
  EXPECT_EQ(Lines(Extract("github",
                          Answer(200, {{"x-ratelimit-limit", "5000"}, {"x-ratelimit-resource", "graphql"}}))),
            (L{"graphql/points 5000 - - - 3600 -"}));
  http::Exchange by_path = Answer(200, {{"x-ratelimit-limit", "5000"}});
  by_path.path = "/graphql";
  EXPECT_EQ(Lines(Extract("github", by_path)), (L{"graphql/points 5000 - - - 3600 -"}));
}

TEST(ExtractSignalsTest, AResourceMayHaveAWindowOfItsOwn) {
  http::Exchange exchange;
  exchange.status = 200;
  exchange.fields.Add("x-ratelimit-limit", "30");
  exchange.fields.Add("x-ratelimit-resource", "search");
  EXPECT_EQ(Lines(Extract("github", exchange)), (L{"search/requests 30 - - - 60 -"}));
}

TEST(ExtractSignalsTest, AbsoluteResetsSaySo) {
  const Signals signals =
      Extract("github", Answer(200, {{"x-ratelimit-limit", "60"}, {"x-ratelimit-reset", "1718236861"}}));
  ASSERT_EQ(signals.readings.size(), 1u);
  EXPECT_TRUE(signals.readings[0].reset_absolute);
  EXPECT_EQ(Line(signals.readings[0]), "/requests 60 - - +61 3600 -");
}

TEST(RetryAfterTest, OnSuccessItIsNoThrottle) {
  const Signals signals = Extract("anthropic", Answer(200, {{"retry-after", "59"}}));
  EXPECT_EQ(signals.retry_after_seconds, 59);
  EXPECT_EQ(signals.throttle, std::nullopt);
}

TEST(RetryAfterTest, TheLongerOfTwoCounts) {
  EXPECT_EQ(
      Extract("openai", Answer(429, {{"retry-after-ms", "0"}, {"retry-after", "1"}})).retry_after_seconds, 1);
  EXPECT_EQ(
      Extract("openai", Answer(429, {{"retry-after", "1"}, {"retry-after-ms", "1500"}})).retry_after_seconds,
      1.5);
}

TEST(RetryAfterTest, DatesAreMeasuredFromTheResponsesDate) {
  http::Exchange exchange = Answer(429, {{"retry-after", "Thu, 13 Jun 2024 01:00:30 GMT"}});
  exchange.date = kNow + std::chrono::hours(1);  // their clock is an hour ahead of ours
  EXPECT_EQ(Extract("generic", exchange).retry_after_seconds, 30);
}

TEST(RetryAfterTest, OtherFormsAndNonsense) {
  const auto seconds = [](const std::string& value) {
    return Extract("generic", Answer(429, {{"retry-after", value}})).retry_after_seconds;
  };
  EXPECT_EQ(seconds("2.5"), 2.5);
  EXPECT_EQ(seconds("2024-06-13T00:02:00Z"), 120);
  EXPECT_EQ(seconds("Wed, 12 Jun 2024 00:00:00 GMT"), 0) << "the wait is over";
  EXPECT_EQ(seconds("1718236861"), 61);
  EXPECT_EQ(seconds("60s"), 60);
  EXPECT_EQ(seconds("60, 60"), 60) << "said twice";
  EXPECT_EQ(seconds("60,120"), 120);
  EXPECT_EQ(seconds("60s, 60s"), 60);
  EXPECT_EQ(seconds("60 seconds"), 60);
  EXPECT_EQ(seconds("\"60s\""), 60);
  EXPECT_EQ(seconds("\"60\", \"60\""), 60);
  for (const auto* text :
       {"-1", "soon", "", "NaN", "9999999999999", "1 2", "60, soon", "2024-06-13T00:02:00,5+02:00"}) {
    const Signals signals = Extract("generic", Answer(429, {{"Retry-After", text}}));
    EXPECT_EQ(signals.retry_after_seconds, std::nullopt) << text;
    ASSERT_EQ(signals.unread.size(), 1u) << text;
    EXPECT_EQ(signals.unread[0].header, "retry-after");
    EXPECT_EQ(signals.unread[0].field, SignalField::kRetryAfter);
  }
}

TEST(UnreadTest, SentinelsAndNonsenseAreUnreadNeverNumbers) {
  const Signals signals = Extract("generic", Answer(200, {{"X-RateLimit-Limit", "-1"},
                                                          {"X-RateLimit-Remaining", "9223372036854775807"},
                                                          {"X-RateLimit-Used", "NaN"},
                                                          {"X-RateLimit-Reset", "9999999999"}}));
  EXPECT_EQ(signals.readings, std::vector<Reading>{});
  EXPECT_EQ(
      signals.unread,
      (std::vector<Unread>{
          {"x-ratelimit-limit", "negative: a sentinel, not a quantity", UnreadKind::kMalformed,
           SignalField::kLimit},
          {"x-ratelimit-remaining", "too large to be a quantity: a sentinel", UnreadKind::kMalformed,
           SignalField::kRemaining},
          {"x-ratelimit-used", "not a number", UnreadKind::kMalformed, SignalField::kUsed},
          {"x-ratelimit-reset", "no time within 400 days", UnreadKind::kImplausible, SignalField::kReset}}));
}

TEST(SignsTest, LessThanNothingLeftOfALimitIsOverdrawn) {
  const Signals signals =
      Extract("generic", Answer(429, {{"X-RateLimit-Limit", "100"}, {"X-RateLimit-Remaining", "-7"}}));
  ASSERT_EQ(signals.readings.size(), 1u);
  EXPECT_EQ(signals.readings[0].remaining, 0);
  EXPECT_EQ(signals.readings[0].used, 107);
  EXPECT_EQ(signals.readings[0].derived, SignalFields{SignalField::kUsed});
  EXPECT_TRUE(signals.unread.empty());
}

TEST(SignsTest, ALimitAndARemainderBelowZeroSayNothingNotEvenAReset) {
  const Signals signals = Extract("generic", Answer(200, {{"X-RateLimit-Limit", "-1"},
                                                          {"X-RateLimit-Remaining", "-1"},
                                                          {"X-RateLimit-Reset", "0"}}));
  EXPECT_EQ(signals.readings, std::vector<Reading>{});
}

TEST(SignsTest, ARemainderBelowZeroWithoutALimitIsASentinel) {
  const Signals signals =
      Extract("generic", Answer(200, {{"X-RateLimit-Remaining", "-1"}, {"X-RateLimit-Reset", "60"}}));
  ASSERT_EQ(signals.readings.size(), 1u);
  EXPECT_EQ(signals.readings[0].remaining, std::nullopt);
  EXPECT_EQ(signals.unread.size(), 1u);
}

TEST(UnreadTest, LimitLikeHeadersWithoutARuleAreToldInHeaderOrder) {
  const Signals signals = Extract("github", Answer(200, {{"Content-Type", "text/html"},
                                                         {"X-My-Quota", "5"},
                                                         {"x-ratelimit-limit", "many"},
                                                         {"X-RateLimit-Foo", "1"}}));
  const auto entry = [](const char* header) {
    return Unread{header, "not described by the exporter", UnreadKind::kNotDescribed, SignalField::kPolicy};
  };
  EXPECT_EQ(
      signals.unread,
      (std::vector<Unread>{entry("x-my-quota"),
                           {"x-ratelimit-limit", "not a number", UnreadKind::kMalformed, SignalField::kLimit},
                           entry("x-ratelimit-foo")}));
}

TEST(UnreadTest, HeadersKnownToBeNoQuotaAreQuiet) {
  EXPECT_EQ(Extract("anthropic", Answer(200, {{"anthropic-ratelimit-unified-5h-status", "allowed"}})).unread,
            std::vector<Unread>{});
}

TEST(UnreadTest, ManyInventedQuotasAreBounded) {
  Headers headers;
  for (int i = 0; i < 200; ++i) headers.emplace_back("x-ratelimit-limit-q" + std::to_string(i), "5");
  EXPECT_EQ(Extract("generic", Answer(200, headers)).readings.size(), 64u);
}

}  // namespace
}  // namespace apiquota::provider
