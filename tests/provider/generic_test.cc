// What exporters/generic.yaml reads: the families many APIs share.
#include <gtest/gtest.h>

#include "tests/provider/signal_lines.h"

namespace apiquota::provider {
namespace {

std::vector<std::string> Generic(const Headers& headers) {
  return Lines(Extract("generic", Answer(200, headers)));
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

TEST(GenericTest, ALimitAndAUseBelowZeroSayNothing) {
  EXPECT_EQ(Generic({{"x-ratelimit-limit", "-1"}, {"x-ratelimit-used", "-1"}, {"x-ratelimit-reset", "0"}}),
            (L{}));
}

TEST(GenericTest, OfLinesThatDisagreeTheStricterReadingCounts) {
  for (const bool lax_first : {false, true}) {
    const std::string limits[] = {lax_first ? "1000" : "100", lax_first ? "100" : "1000"};
    const std::string left[] = {lax_first ? "900" : "0", lax_first ? "0" : "900"};
    EXPECT_EQ(Generic({{"x-ratelimit-limit", limits[0]},
                       {"x-ratelimit-limit", limits[1]},
                       {"x-ratelimit-remaining", left[0]},
                       {"x-ratelimit-remaining", left[1]},
                       {"x-ratelimit-reset", "60"}}),
              (L{"/requests 100 0 100 +60 - -"}));
    EXPECT_EQ(Generic({{"x-ratelimit-limit-daily", limits[0]},
                       {"x-ratelimit-remaining-daily", left[0]},
                       {"x-ratelimit-limit-daily", limits[1]},
                       {"x-ratelimit-remaining-daily", left[1]}}),
              (L{"/daily 100 0 100 - 86400 -"}));
    EXPECT_EQ(Generic({{"x-ratelimit-remaining", left[0]}, {"x-ratelimit-remaining", left[1]}}),
              (L{"/requests - 0 - - - -"}));
    EXPECT_EQ(Generic({{"ratelimit-limit", limits[0]},
                       {"ratelimit-limit", limits[1]},
                       {"ratelimit-remaining", left[0]},
                       {"ratelimit-remaining", left[1]},
                       {"ratelimit-reset", "60"}}),
              (L{"/requests 100 0 100 +60 - -"}));
  }
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
