#include "guard/call_report.h"

#include <gtest/gtest.h>

#include <string>

#include "guard/call_digest.h"

namespace apiquota::guard {
namespace {

constexpr SystemTime kNow{std::chrono::hours(1000)};

uint64_t DigestOf(std::string_view target, std::string_view body, uint64_t seed = 1) {
  CallDigest digest;
  digest.Begin(seed, "POST", target);
  digest.Add(body);
  return digest.Value();
}

TEST(CallDigestTest, TheSameCallHasOneDigestHoweverItsBodyIsCut) {
  const std::string body = R"({"model":"m","input":["a rather long text that fills several blocks"]})";
  const uint64_t whole = DigestOf("/v1/embeddings", body);
  for (size_t first = 0; first <= body.size(); ++first) {
    for (size_t second = first; second <= body.size(); second += 7) {
      CallDigest digest;
      digest.Begin(1, "POST", "/v1/embeddings");
      digest.Add(std::string_view(body).substr(0, first));
      digest.Add(std::string_view(body).substr(first, second - first));
      digest.Add(std::string_view(body).substr(second));
      ASSERT_EQ(digest.Value(), whole) << first << ", " << second;
    }
  }
}

TEST(CallDigestTest, WhatDiffersAnywhereHasAnother) {
  const std::string body(100, 'x');
  const uint64_t digest = DigestOf("/v1/embeddings", body);
  for (size_t i = 0; i < body.size(); ++i) {
    std::string other = body;
    other[i] = 'y';
    EXPECT_NE(DigestOf("/v1/embeddings", other), digest) << i;
  }
  EXPECT_NE(DigestOf("/v1/embeddings?a", body), digest);
  EXPECT_NE(DigestOf("/v1/embeddings", body + std::string(1, '\0')), digest);
  EXPECT_NE(DigestOf("/v1/embeddings", body, 2), digest) << "another key's";
  EXPECT_NE(DigestOf("/v1/embedding", "s" + body), digest) << "what is the target's is not the body's";
}

TEST(CallReportTest, ACallIsIdenticalToOneShortlyBefore) {
  CallReport report(1);
  EXPECT_FALSE(report.Count(report.RouteFor("GET", "/a"), 7, false, kNow));
  EXPECT_TRUE(report.Count(report.RouteFor("GET", "/a"), 7, false, kNow + CallReport::kIdenticalWithin));
  EXPECT_FALSE(report.Count(report.RouteFor("GET", "/a"), 8, false, kNow));
  EXPECT_FALSE(report.Count(report.RouteFor("GET", "/a"), 7, false,
                            kNow + 2 * CallReport::kIdenticalWithin + Micros(1)))
      << "that was long before";
}

TEST(CallReportTest, RoutesAreToldWithTheMostCalledFirst) {
  CallReport report(1);
  report.Count(report.RouteFor("GET", "/users/4711"), 1, false, kNow);
  report.Count(report.RouteFor("POST", "/v1/embeddings"), 2, true, kNow);
  report.Count(report.RouteFor("POST", "/v1/embeddings"), 2, true, kNow);
  report.Count(report.RouteFor("GET", "/users/4712"), 3, false, kNow);
  report.Count(report.RouteFor("POST", "/v1/embeddings"), 4, false, kNow);
  EXPECT_EQ(report.View(),
            (std::vector<RouteCalls>{{"POST /v1/embeddings", 3, 1, 2}, {"GET /users/*", 2, 0, 0}}));
}

TEST(CallReportTest, WhatIsRememberedIsBounded) {
  CallReport report(1);
  constexpr size_t kCalls = 10 * CallReport::kRecentMax;
  for (size_t i = 0; i < kCalls; ++i) {
    const std::string path = "/p" + std::to_string(i) + "x/y";
    report.Count(report.RouteFor("GET", path), DigestOf(path, ""), false, kNow);
  }
  const std::vector<RouteCalls> routes = report.View();
  EXPECT_EQ(routes.size(), CallReport::kRoutesMax + 1);
  EXPECT_EQ(routes[0].route, "other");
  EXPECT_EQ(routes[0].calls, kCalls - CallReport::kRoutesMax);
}

TEST(CallReportTest, OfManyCallsAtOnceTheNewestAreRemembered) {
  CallReport report(1);
  size_t identical = 0;
  constexpr size_t kCalls = CallReport::kRecentMax / 4;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kCalls; ++i) {
      if (report.Count(report.RouteFor("GET", "/a"), DigestOf(std::to_string(i), ""), false,
                       kNow + Micros(i)))
        ++identical;
    }
  }
  EXPECT_GE(identical, kCalls * 98 / 100) << "a quarter of what fits is found again";
}

}  // namespace
}  // namespace apiquota::guard
