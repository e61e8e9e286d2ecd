#include "provider/extract_signals.h"

#include <gtest/gtest.h>

#include "provider/exporter_rules.h"

namespace apiquota::provider {
namespace {

const SystemTime kNow{std::chrono::seconds(1'718'236'800)};  // 2024-06-13T00:00:00Z

using Headers = std::vector<std::pair<std::string, std::string>>;

http::Exchange Answer(int status, const Headers& headers) {
  http::Exchange exchange;
  exchange.method = "POST";
  exchange.path = "/v1/chat/completions";
  exchange.status = status;
  exchange.received_at = kNow;
  for (const auto& [name, value] : headers) exchange.fields.Add(name, value);
  return exchange;
}

Signals Extract(const std::string& exporter, const http::Exchange& exchange) {
  static const auto catalogue = Catalogue::Embedded();
  return ExtractSignals(*catalogue->Find(exporter), exchange);
}

// "resource/quota limit remaining used +reset window policy", "-" for what was not said.
std::string Line(const Reading& reading) {
  const auto number = [](const std::optional<double>& value) { return value ? FormatNumber(*value) : "-"; };
  std::string line = reading.resource + "/" + reading.quota + " " + number(reading.limit) + " " +
                     number(reading.remaining) + " " + number(reading.used) + " ";
  line += reading.reset_at ? "+" + FormatNumber(ToSeconds(*reading.reset_at - kNow)) : "-";
  return line + " " + number(reading.window_seconds) + " " + reading.policy.value_or("-");
}

std::vector<std::string> Lines(const Signals& signals) {
  std::vector<std::string> lines;
  for (const Reading& reading : signals.readings) lines.push_back(Line(reading));
  return lines;
}

std::vector<std::string> Generic(const Headers& headers) {
  return Lines(Extract("generic", Answer(200, headers)));
}

using L = std::vector<std::string>;

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

TEST(ExtractSignalsTest, AResourceMayRenameTheQuota) {
  EXPECT_EQ(Lines(Extract("github",
                          Answer(200, {{"x-ratelimit-limit", "5000"}, {"x-ratelimit-resource", "graphql"}}))),
            (L{"graphql/points 5000 - - - - -"}));
  http::Exchange by_path = Answer(200, {{"x-ratelimit-limit", "5000"}});
  by_path.path = "/graphql";
  EXPECT_EQ(Lines(Extract("github", by_path)), (L{"graphql/points 5000 - - - - -"}));
}

TEST(ExtractSignalsTest, AbsoluteResetsSaySo) {
  const Signals signals =
      Extract("github", Answer(200, {{"x-ratelimit-limit", "60"}, {"x-ratelimit-reset", "1718236861"}}));
  ASSERT_EQ(signals.readings.size(), 1u);
  EXPECT_TRUE(signals.readings[0].reset_absolute);
  EXPECT_EQ(Line(signals.readings[0]), "/requests 60 - - +61 - -");
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
  for (const auto* text : {"-1", "soon", "", "NaN", "9999999999999", "1 2"}) {
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

TEST(GenericTest, SeveralPoliciesAreSeveralReadingsNamedByTheirWindows) {
  EXPECT_EQ(Generic({{"ratelimit-limit", "75, 75;w=1, 750;w=60"},
                     {"ratelimit-remaining", "74"},
                     {"ratelimit-reset", "0"}}),
            (L{"/requests-1s 75 74 1 +0 1 -", "/requests-60s 750 - - - 60 -"}));
  EXPECT_EQ(Generic({{"ratelimit-limit", "100"},
                     {"ratelimit-policy", "10;w=1, 100;w=60"},
                     {"ratelimit-remaining", "9"}}),
            (L{"/requests-1s 10 - - - 1 -", "/requests-60s 100 9 91 - 60 -"}));
  EXPECT_EQ(Generic({{"ratelimit-limit", "10, 100;w=60"}, {"ratelimit-remaining", "9"}}),
            (L{"/requests 10 9 1 - - -", "/requests-60s 100 - - - 60 -"}))
      << "a dynamic limit that is no policy's";
}

TEST(GenericTest, OnePolicyIsThePlainQuota) {
  EXPECT_EQ(Generic({{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "0;w=21600"}}),
            (L{"/requests 100 0 100 - 21600 -"}));
  EXPECT_EQ(Generic({{"ratelimit-policy", "500; w=60"}}), (L{"/requests 500 - - - 60 -"}));
}

TEST(GenericTest, PolicyNamesNameTheQuota) {
  EXPECT_EQ(Generic({{"x-ratelimit-limit", "100, 100;w=1;name=\"safety\", 1000;w=60;name=\"org\""},
                     {"x-ratelimit-remaining", "97"}}),
            (L{"/org 1000 - - - 60 org", "/safety 100 97 3 - 1 safety"}));
  EXPECT_EQ(Generic({{"RateLimit-Policy", "\"burst\";q=100;w=60"},
                     {"RateLimit-Policy", "\"daily\";q=1000;w=86400"},
                     {"RateLimit", "\"daily\";r=900;t=50"}}),
            (L{"/burst 100 - - - 60 burst", "/daily 1000 900 100 +50 86400 daily"}));
}

TEST(GenericTest, AnItemWithoutRIsUnknownNotZero) {
  EXPECT_EQ(Generic({{"ratelimit", "\"a\";t=1"}, {"ratelimit-policy", "\"a\";q=5"}}), (L{"/a 5 - - +1 - a"}));
}

TEST(GenericTest, OnePolicyAndOneStatusUnderTwoNamesAreAboutEachOther) {
  EXPECT_EQ(Generic({{"ratelimit", "\"default\";r=50;t=30"}, {"ratelimit-policy", "\"burst\";q=100;w=60"}}),
            (L{"/default 100 50 50 +30 60 default"}));
  EXPECT_EQ(Generic({{"ratelimit", "\"daily\";r=900"}, {"ratelimit-policy", "\"burst\";q=100;w=60"}}),
            (L{"/burst 100 - - - 60 burst", "/daily - 900 - - - daily"}))
      << "more left than allowed: not the same";
}

TEST(GenericTest, PartitionKeysKeepNamesakesApart) {
  EXPECT_EQ(Generic({{"ratelimit", "\"a\";r=1;pk=:YQ==:, \"a\";r=7;pk=:Yg==:"},
                     {"ratelimit-policy", "\"a\";q=8;pk=:Yg==:, \"a\";q=2;pk=:YQ==:"}}),
            (L{"/a 2 1 1 - - a", "/a-2 8 7 1 - - a"}));
}

TEST(GenericTest, ConcurrencyIsItsOwnKind) {
  const Signals signals =
      Extract("generic", Answer(200, {{"ratelimit", "\"c\";r=79"},
                                      {"ratelimit-policy", "\"c\";q=80;qu=\"concurrent-requests\""}}));
  ASSERT_EQ(signals.readings.size(), 1u);
  EXPECT_EQ(signals.readings[0].kind, QuotaKind::kConcurrency);
  EXPECT_EQ(signals.readings[0].unit, "concurrent-requests");
}

TEST(GenericTest, ABrokenStructuredFieldIsIgnoredWholeAndItsNeighbourIsNot) {
  const Signals signals = Extract("generic", Answer(200, {{"ratelimit-policy", "\"fixed\";\"api\";q=500"},
                                                          {"ratelimit", "\"api\";r=489;t=189"}}));
  EXPECT_EQ(Lines(signals), (L{"/api - 489 - +189 - api"}));
  EXPECT_EQ(signals.unread,
            (std::vector<Unread>{{"ratelimit-policy", "not a structured field (RFC 9651): ignored whole",
                                  UnreadKind::kMalformed, SignalField::kPolicy}}));
}

TEST(GenericTest, QuotasSaidTwiceAreOneReading) {
  EXPECT_EQ(Generic({{"x-rate-limit", "400"},
                     {"ratelimit-limit", "400"},
                     {"x-rate-limit-remaining", "392"},
                     {"ratelimit-remaining", "392"},
                     {"ratelimit-reset", "15"}}),
            (L{"/requests 400 392 8 +15 - -"}));
  EXPECT_EQ(Generic({{"ratelimit", "limit=6, remaining=4, reset=50"},
                     {"ratelimit-policy", "6;w=60"},
                     {"ratelimit-limit", "6"},
                     {"ratelimit-remaining", "4"},
                     {"ratelimit-reset", "50"},
                     {"x-ratelimit-limit-minute", "6"},
                     {"x-ratelimit-remaining-minute", "4"}}),
            (L{"/minute 6 4 2 +50 60 -"}));
}

TEST(GenericTest, TheSameLineTwiceIsOneReading) {
  EXPECT_EQ(
      Generic({{"x-ratelimit-limit", "10"}, {"x-ratelimit-limit", "10"}, {"x-ratelimit-remaining", "9"}}),
      (L{"/requests 10 9 1 - - -"}));
}

TEST(GenericTest, FamiliesThatDisagreeAreTwoQuotas) {
  EXPECT_EQ(
      Generic({{"x-ratelimit-limit", "100"}, {"x-rate-limit-limit", "50"}, {"x-rate-limit-remaining", "46"}}),
      (L{"/requests 100 - - - - -", "/requests-2 50 46 4 - - -"}));
}

TEST(GenericTest, NamesStandBehindOrBeforeTheField) {
  EXPECT_EQ(Generic({{"x-ratelimit-limit-daily", "200000"},
                     {"x-ratelimit-daily-remaining", "199410"},
                     {"x-ratelimit-daily-reset", "72746000"}}),
            (L{"/daily 200000 199410 590 +72746 86400 -"}));
}

TEST(GenericTest, ValuesSaidOnlyInPart) {
  EXPECT_EQ(
      Generic({{"x-ratelimit-remaining", "988.0"}, {"x-ratelimit-used", "12"}, {"x-ratelimit-reset", "375"}}),
      (L{"/requests 1000 988 12 +375 - -"}));
  EXPECT_EQ(Generic({{"x-rate-limit-limit", "10"}, {"x-rate-limit-interval", "1s"}}),
            (L{"/requests 10 - - - 1 -"}));
  EXPECT_EQ(Generic({{"x-ratelimit-used", "3/10"}}), (L{"/requests 10 7 3 - - -"}));
}

TEST(GenericTest, HostileValuesInAnyHeaderAreUnread) {
  const std::string huge(1 << 20, '9');
  for (const auto* name : {"x-ratelimit-limit", "x-ratelimit-reset", "ratelimit", "ratelimit-policy",
                           "retry-after", "ratelimit-limit", "x-ratelimit-resource", "x-ratelimit-period"}) {
    for (const std::string& value :
         {huge, std::string("\0\0", 2), std::string("1,") + huge, huge + ";w=" + huge}) {
      const Signals signals = Extract("generic", Answer(200, {{name, value}}));
      EXPECT_EQ(signals.readings, std::vector<Reading>{}) << name;
      EXPECT_EQ(signals.retry_after_seconds, std::nullopt) << name;
      EXPECT_FALSE(signals.unread.empty()) << name;
    }
  }
}

}  // namespace
}  // namespace apiquota::provider
