#include <gtest/gtest.h>

#include "http/forward.h"

namespace apiquota::http {
namespace {

std::string Path(std::string_view target) {
  const auto path = RequestPath(target);
  return path ? std::string(*path)
              : std::to_string(path.error().status) + ": " + std::string(path.error().detail);
}

TEST(RequestPathTest, OriginAndAbsoluteFormGiveThePathAndQuery) {
  EXPECT_EQ(Path("/"), "/");
  EXPECT_EQ(Path("/a/b?c=d?e"), "/a/b?c=d?e");
  EXPECT_EQ(Path("//a"), "//a");
  EXPECT_EQ(Path("http://host/a?b"), "/a?b");
  EXPECT_EQ(Path("HTTPS://[::1]:80/a"), "/a");
  EXPECT_EQ(Path("http://host"), "/");
  EXPECT_EQ(Path("/a/\xc3\xa9\"{}|"), "/a/\xc3\xa9\"{}|");
}

TEST(RequestPathTest, OtherFormsAreRefused) {
  const std::string expected = "400: expected a path, or an http or https URL";
  EXPECT_EQ(Path("*"), expected);
  EXPECT_EQ(Path("host:443"), expected);
  EXPECT_EQ(Path("ftp://host/a"), expected);
  EXPECT_EQ(Path("a/b"), expected);
  EXPECT_EQ(Path("?a"), expected);
  EXPECT_EQ(Path(""), expected);
  EXPECT_EQ(Path("http://user@host/a"), "400: the URL's authority is not a host");
  EXPECT_EQ(Path("http:///a"), "400: the URL's authority is not a host");
  EXPECT_EQ(Path("http://host?a"), "400: a URL without a path");
}

TEST(RequestPathTest, BytesThatUpstreamsReadDifferentlyAreRefused) {
  EXPECT_EQ(Path("/a%00b"), "400: %00 in the path");
  EXPECT_EQ(Path("/a\\b"), "400: '\\' in the path");
  EXPECT_EQ(Path("/a#b"), "400: a fragment in the target");
  EXPECT_EQ(Path("/a b"), "400: a space or control byte in the target");
  EXPECT_EQ(Path(std::string("/a\0b", 4)), "400: a space or control byte in the target");
  EXPECT_EQ(Path("/a\x7f"), "400: a space or control byte in the target");
  EXPECT_EQ(Path("/a?%00\\"), "/a?%00\\");
}

TEST(RequestPathTest, DotSegmentsMayNotLeaveTheFirstSegment) {
  const std::string leaves = "400: dot segments leave the route";
  for (const std::string_view path :
       {"/..", "/../a", "/a/..", "/a/../b", "/a/b/../..", "/a/b/../../c/d", "/a/./../b", "/a//../b",
        "/a/%2e%2e/b", "/a/.%2E/b", "/a/%2e./b", "/a/..%2fb", "/a/..%2Fb/c", "/a%2f..%2f..%2fb", "/a/..%5cb",
        "/a/b%5c..%5c..%5cc", "/a/../b?q", "http://h/a/../b"}) {
    EXPECT_EQ(Path(path), leaves) << path;
  }
  for (const std::string_view path :
       {"/a/b/..", "/a/b/../c", "/a/./b", "/a/...", "/a/..b", "/a/b..", "/a/%2e", "/a?/..", "/a/b/%2e%2e/c",
        "/a/b%2Fc", "/a/%2f/b", "/a/..;"}) {
    EXPECT_EQ(Path(path), path) << path;
  }
}

TEST(PathUnderRouteTest, MatchesWholeSegments) {
  EXPECT_EQ(PathUnderRoute("/openai/v1/models?x", "/openai"), "/v1/models?x");
  EXPECT_EQ(PathUnderRoute("/openai", "/openai"), "");
  EXPECT_EQ(PathUnderRoute("/openai/", "/openai"), "/");
  EXPECT_EQ(PathUnderRoute("/openai?x", "/openai"), "?x");
  EXPECT_EQ(PathUnderRoute("/openai2/v1", "/openai"), std::nullopt);
  EXPECT_EQ(PathUnderRoute("/open", "/openai"), std::nullopt);
  EXPECT_EQ(PathUnderRoute("/OpenAI/v1", "/openai"), std::nullopt);
  EXPECT_EQ(PathUnderRoute("/%6fpenai/v1", "/openai"), std::nullopt);
  EXPECT_EQ(PathUnderRoute("//openai/v1", "/openai"), std::nullopt);
  EXPECT_EQ(PathUnderRoute("/a/b/c", "/a/b"), "/c");
  EXPECT_EQ(PathUnderRoute("/a", "/"), "/a");
  EXPECT_EQ(PathUnderRoute("/a", ""), "/a");
}

TEST(PathUnderRouteTest, DotSegmentsMayNotLeaveALongerRoute) {
  EXPECT_EQ(PathUnderRoute("/a/b/c/../d", "/a/b"), "/c/../d");
  EXPECT_EQ(PathUnderRoute("/a/b/../c", "/a/b"), std::nullopt);
  EXPECT_EQ(PathUnderRoute("/a/b/c%2f..%2f..%2fd", "/a/b"), std::nullopt);
}

TEST(WithoutRepeatedBaseTest, APathThatBringsTheBaseUrlsOwnIsNotGivenItTwice) {
  EXPECT_EQ(WithoutRepeatedBase("/api/v1/models?x", "/api"), "/v1/models?x");
  EXPECT_EQ(WithoutRepeatedBase("/api", "/api"), "");
  EXPECT_EQ(WithoutRepeatedBase("/api?x", "/api"), "?x");
  EXPECT_EQ(WithoutRepeatedBase("/api/v3/repos", "/api/v3"), "/repos");
  EXPECT_EQ(WithoutRepeatedBase("/api/api/v1", "/api"), "/api/v1") << "once";
}

TEST(WithoutRepeatedBaseTest, OtherPathsStayAsTheyAre) {
  EXPECT_EQ(WithoutRepeatedBase("/v1/models", "/api"), "/v1/models");
  EXPECT_EQ(WithoutRepeatedBase("/apis/v1", "/api"), "/apis/v1") << "whole segments";
  EXPECT_EQ(WithoutRepeatedBase("/API/v1", "/api"), "/API/v1");
  EXPECT_EQ(WithoutRepeatedBase("/api", "/api/v3"), "/api");
  EXPECT_EQ(WithoutRepeatedBase("/v1?/api/", "/api"), "/v1?/api/");
  EXPECT_EQ(WithoutRepeatedBase("/api/v1", ""), "/api/v1");
  EXPECT_EQ(WithoutRepeatedBase("", "/api"), "");
}

TEST(WithoutRepeatedBaseTest, DotSegmentsDoNotLeaveTheBaseUrlByIt) {
  EXPECT_EQ(WithoutRepeatedBase("/api/../x", "/api"), "/api/../x");
  EXPECT_EQ(WithoutRepeatedBase("/api/%2e%2e/x", "/api"), "/api/%2e%2e/x");
  EXPECT_EQ(WithoutRepeatedBase("/api/..%2fx", "/api"), "/api/..%2fx");
  EXPECT_EQ(WithoutRepeatedBase("/api/a/../x", "/api"), "/a/../x");
}

std::string Base(std::string_view text) {
  const auto base = ParseBaseUrl(text);
  if (!base) return base.error().message;
  return std::string(base->tls ? "tls " : "plain ") + base->host + " " + std::to_string(base->port) + " [" +
         base->path + "] " + base->authority;
}

TEST(ParseBaseUrlTest, TakesHttpAndHttpsApart) {
  EXPECT_EQ(Base("https://api.openai.com/v1"), "tls api.openai.com 443 [/v1] api.openai.com");
  EXPECT_EQ(Base("HTTP://LocalHost:8080"), "plain localhost 8080 [] localhost:8080");
  EXPECT_EQ(Base("http://h:80/a/b//"), "plain h 80 [/a/b] h");
  EXPECT_EQ(Base("https://h:/"), "tls h 443 [] h");
  EXPECT_EQ(Base("https://[2001:DB8::1]:8443/x"), "tls 2001:db8::1 8443 [/x] [2001:db8::1]:8443");
  EXPECT_EQ(Base("http://[::1]"), "plain ::1 80 [] [::1]");
}

TEST(ParseBaseUrlTest, SaysWhatIsWrongWithoutRepeatingPasswords) {
  EXPECT_EQ(Base("ftp://h"), "base URL: expected http:// or https://");
  EXPECT_EQ(Base("h/v1"), "base URL: expected http:// or https://");
  EXPECT_EQ(Base("https://"), "base URL: expected a host and optionally a port");
  EXPECT_EQ(Base("https://a b"), "base URL: spaces, control bytes and '\\' must be percent-encoded");
  EXPECT_EQ(Base("https://h:99999"), "base URL: expected a host and optionally a port");
  EXPECT_EQ(Base("https://h:0"), "base URL: port 0 can't be connected to");
  EXPECT_EQ(Base("https://h/?a"), "base URL: a query or fragment is not allowed");
  EXPECT_EQ(Base("https://h/a/../b"), "base URL: dot segments are not allowed");
  EXPECT_EQ(Base("https://user:pass@h"), "base URL: no user or password is allowed");
  EXPECT_EQ(Base("user:pass@h"), "base URL: expected http:// or https://");
}

}  // namespace
}  // namespace apiquota::http
