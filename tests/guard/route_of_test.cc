#include "guard/route_of.h"

#include <gtest/gtest.h>

namespace apiquota::guard {
namespace {

TEST(RouteOfTest, IdsDoNotMakeARouteOfTheirOwn) {
  EXPECT_EQ(RouteOf("GET", "/repos/apache/arrow/issues/4711"), "GET /repos/apache/arrow/issues/*");
  EXPECT_EQ(RouteOf("GET", "/git/commits/a9718295e0f1c3d4"), "GET /git/commits/*");
  EXPECT_EQ(RouteOf("GET", "/pages/123E4567-e89b-12d3-a456-426614174000/blocks"), "GET /pages/*/blocks");
  EXPECT_EQ(RouteOf("GET", "/threads/thread_abcABC0123456789defDEF/runs"), "GET /threads/*/runs");
  EXPECT_EQ(RouteOf("DELETE", "/0"), "DELETE /*");
}

TEST(RouteOfTest, WhoseAMailAddressIsIsNoRoute) {
  EXPECT_EQ(RouteOf("GET", "/users/alice@example.com/calendars"), "GET /users/*/calendars");
  EXPECT_EQ(RouteOf("GET", "/users/alice%40example.com"), "GET /users/*");
  EXPECT_EQ(RouteOf("GET", "/users/@me"), "GET /users/@me");
  EXPECT_EQ(RouteOf("GET", "/@angular%2fcore"), "GET /@angular%2fcore");
}

TEST(RouteOfTest, WhatLooksRandomIsAnId) {
  EXPECT_EQ(RouteOf("POST", "/services/T00000000/B00000000/kQ3zJ8fLm2Xw9RtYb4Vn6HsD"),
            "POST /services/T00000000/*/*");
  EXPECT_EQ(RouteOf("GET", "/rpc/GetCustomerOrdersV2"), "GET /rpc/GetCustomerOrdersV2");
  EXPECT_EQ(RouteOf("GET", "/rpc/UpdateOAuth2Client"), "GET /rpc/UpdateOAuth2Client");
}

TEST(RouteOfTest, WordsAreNotTakenForIds) {
  for (const char* path : {"/v1/chat/completions", "/api/2.0/jobs", "/decade/facade", "/search/code",
                           "/internationalisation-of-things", "/2024-02-01", "/users/octocat4"}) {
    EXPECT_EQ(RouteOf("POST", path), "POST " + std::string(path));
  }
}

TEST(RouteOfTest, TheQueryIsNotPartOfIt) {
  EXPECT_EQ(RouteOf("GET", "/search/code?q=7&page=2"), "GET /search/code");
  EXPECT_EQ(RouteOf("GET", "/?token=secret"), "GET /");
  EXPECT_EQ(RouteOf("GET", "/a#/12"), "GET /a");
}

TEST(RouteOfTest, AnAbsoluteUriHasThePathsRoute) {
  EXPECT_EQ(RouteOf("GET", "https://api.github.com/users/1?x=/y"), "GET /users/*");
  EXPECT_EQ(RouteOf("GET", "https://api.github.com?x"), "GET /");
  EXPECT_EQ(RouteOf("GET", "/proxy/https://example.org/1"), "GET /proxy/https://example.org/*");
}

TEST(RouteOfTest, MethodsAreKeptApart) {
  EXPECT_NE(RouteOf("GET", "/gists"), RouteOf("POST", "/gists"));
  EXPECT_EQ(RouteOf("OPTIONS", "*"), "OPTIONS *");
  EXPECT_EQ(RouteOf("GET", ""), "GET ");
  EXPECT_NE(RouteOf("GET", "/a/"), RouteOf("GET", "/a"));
}

TEST(RouteOfTest, NoRouteIsLongerThanItsBound) {
  for (size_t word = 1; word < 200; word += 7) {
    std::string path;
    while (path.size() < 2000) path += "/" + std::string(word, 'w');
    const std::string route = RouteOf("GET", path);
    EXPECT_LE(route.size(), kLongestRoute);
    EXPECT_TRUE(route.ends_with("/..."));
    EXPECT_EQ(route, RouteOf("GET", path + "/and/more"));
  }
  EXPECT_LE(RouteOf(std::string(9000, 'M'), "/" + std::string(9000, 'w')).size(), kLongestRoute);
  const std::string fits = "/" + std::string(kLongestRoute - 5, 'w');
  EXPECT_EQ(RouteOf("GET", fits), "GET " + fits);
}

}  // namespace
}  // namespace apiquota::guard
