#include "http/forward.h"

#include <gtest/gtest.h>

#include <chrono>

#include "http/links.h"
#include "tests/http/codec_harness.h"

namespace apiquota::http {
namespace {

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

class HeadOf {
 public:
  explicit HeadOf(const std::string& text) : text_(text) {
    std::vector<std::string_view> body;
    const ParseStep step = parser_.Parse(text_, &body);
    EXPECT_TRUE(step.head_complete) << text;
  }
  const RequestHead& operator*() const { return parser_.head(); }

 private:
  std::string text_;
  RequestParser parser_{CodecLimits{}};
};

std::string Upstream(const std::string& text, std::string_view base_url = "https://api.example/v1",
                     std::vector<FieldView> replace = {}, std::vector<std::string_view> drop = {}) {
  const HeadOf head(text);
  const auto base = ParseBaseUrl(base_url);
  EXPECT_TRUE(base.has_value()) << base_url;
  const auto path = RequestPath((*head).target);
  EXPECT_TRUE(path.has_value()) << text;
  const auto under = PathUnderRoute(*path, "/t");
  EXPECT_TRUE(under.has_value()) << text;
  std::string out;
  AppendUpstreamHead({.head = &*head,
                      .base = &*base,
                      .path = *under,
                      .replace = std::move(replace),
                      .drop = std::move(drop)},
                     &out);
  return out;
}

std::string Client(const std::string& text, const std::string& method = "GET", int minor_version = 1,
                   bool keep_alive = true, bool add_date = false) {
  ResponseParser parser(CodecLimits{});
  parser.Reset(method);
  std::vector<std::string_view> body;
  EXPECT_TRUE(parser.Parse(text, &body).head_complete) << text;
  std::string out;
  const ClientFraming framing = AppendClientHead({.head = &parser.head(),
                                                  .client_minor_version = minor_version,
                                                  .keep_alive = keep_alive,
                                                  .head_request = method == "HEAD",
                                                  .add_date = add_date,
                                                  .now = kNow},
                                                 &out);
  return out + (framing.chunked ? "[chunked]" : "") + (framing.close_after ? "[close]" : "") +
         (framing.bodiless ? "[bodiless]" : "");
}

TEST(AppendUpstreamHeadTest, ForwardsVerbatimAndInOrder) {
  EXPECT_EQ(
      Upstream(
          "POST /t/chat/%2F%20//a/../b?q=%00\\ HTTP/1.1\r\nHost: localhost:4290\r\nuser-AGENT: x/1\r\n"
          "X-Empty:\r\nContent_Length: 9\r\nCookie: a=b\r\nX: 1\r\nX: 2\r\nContent-Length: 5\r\n\r\nhello"),
      "POST /v1/chat/%2F%20//a/../b?q=%00\\ HTTP/1.1\r\nHost: api.example\r\nuser-AGENT: x/1\r\n"
      "X-Empty: \r\nContent_Length: 9\r\nCookie: a=b\r\nX: 1\r\nX: 2\r\nVia: 1.1 apiquota\r\n"
      "Content-Length: 5\r\n\r\n");
}

TEST(AppendUpstreamHeadTest, DropsHopByHopFieldsAndWhatConnectionNames) {
  EXPECT_EQ(
      Upstream("GET /t/x HTTP/1.1\r\nHost: a\r\nConnection: close, X-Foo\r\nX-Foo: 1\r\nx-bar: 2\r\n"
               "connection: X-BAR ,upgrade\r\nKeep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\n"
               "HTTP2-Settings: x\r\nProxy-Connection: close\r\nProxy-Authorization: x\r\n"
               "Proxy-Authenticate: x\r\nExpect: 100-continue\r\nX-Kept: 3\r\n\r\n"),
      "GET /v1/x HTTP/1.1\r\nHost: api.example\r\nX-Kept: 3\r\nVia: 1.1 apiquota\r\n\r\n");
}

TEST(AppendUpstreamHeadTest, ConnectionCannotNameAwayHostCredentialOrFraming) {
  EXPECT_EQ(
      Upstream(
          "POST /t/x HTTP/1.1\r\nHost: a\r\nConnection: host, authorization, X-API-Key, content-length\r\n"
          "Authorization: Bearer k\r\nX-Api-Key: k\r\nContent-Length: 2\r\n\r\nhi"),
      "POST /v1/x HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer k\r\nX-Api-Key: k\r\n"
      "Via: 1.1 apiquota\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(Upstream("GET /t/x HTTP/1.1\r\nHost: a\r\nConnection: my-key\r\nMy-Key: theirs\r\n\r\n",
                     "http://b", {{"My-Key", "ours"}}),
            "GET /x HTTP/1.1\r\nHost: b\r\nMy-Key: ours\r\nVia: 1.1 apiquota\r\n\r\n");
}

TEST(AppendUpstreamHeadTest, ReplacedAndDroppedFieldsTakeTheirTwinsAlong) {
  EXPECT_EQ(Upstream("GET /t/x HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: Bearer theirs\r\nx_api_key: theirs\r\n"
                     "X-Api-Key: token\r\nX-Api-Keys: kept\r\n\r\n",
                     "http://b", {{"Authorization", "Bearer ours"}}, {"x-api-key"}),
            "GET /x HTTP/1.1\r\nHost: b\r\nX-Api-Keys: kept\r\nAuthorization: Bearer ours\r\n"
            "Via: 1.1 apiquota\r\n\r\n");
}

TEST(AppendUpstreamHeadTest, ReframesBodies) {
  EXPECT_EQ(
      Upstream("POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "http://b"),
      "POST / HTTP/1.1\r\nHost: b\r\nVia: 1.1 apiquota\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(Upstream("POST /t?q HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n", "http://b"),
            "POST /?q HTTP/1.1\r\nHost: b\r\nVia: 1.1 apiquota\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Upstream("POST /t HTTP/1.0\r\n\r\n", "http://b/v1/"),
            "POST /v1 HTTP/1.1\r\nHost: b\r\nVia: 1.0 apiquota\r\n\r\n");
}

TEST(AppendUpstreamHeadTest, AbsoluteFormKeepsOnlyItsPath) {
  EXPECT_EQ(Upstream("GET HTTP://evil.example:1/t/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "http://b:81"),
            "GET /x?y HTTP/1.1\r\nHost: b:81\r\nVia: 1.1 apiquota\r\n\r\n");
}

TEST(IsLoopTest, OurOwnViaIsALoopAndAnotherAgentsIsNone) {
  const auto loops = [](std::string_view via) {
    Fields fields;
    fields.Add("Accept", "*/*");
    fields.Add("via", via);
    return IsLoop(fields, "apiquota-0000002a");
  };
  EXPECT_TRUE(loops("1.1 apiquota-0000002a"));
  EXPECT_TRUE(loops("1.0 fred, 1.1\tAPIQUOTA-0000002A (note)"));
  EXPECT_TRUE(loops("1.1 apiquota-0000002b, 1.1 apiquota-0000002a, 1.1 apiquota"));
  EXPECT_FALSE(loops("1.1 fred"));
  EXPECT_FALSE(loops("1.1 apiquota"));
  EXPECT_FALSE(loops("1.1 apiquota-0000002b"));
  EXPECT_FALSE(loops("1.1 not-apiquota-0000002a, 1.1 apiquota-0000002a2"));
  EXPECT_FALSE(loops("apiquota-0000002a"));
  EXPECT_FALSE(IsLoop(Fields{}, "apiquota-0000002a"));
}

TEST(ViaPseudonymTest, IsAlwaysOfTheSameShape) {
  EXPECT_EQ(ViaPseudonym(0), "apiquota-00000000");
  EXPECT_EQ(ViaPseudonym(42), "apiquota-0000002a");
  EXPECT_EQ(ViaPseudonym(0xffffffff), "apiquota-ffffffff");
}

TEST(AppendClientHeadTest, ForwardsVerbatimAndInOrder) {
  EXPECT_EQ(
      Client("HTTP/1.1 429 Slow Down\r\nServer: x\r\nset-cookie: a\r\nset-cookie: b\r\nRetry-After: 1\r\n"
             "X-RateLimit-Limit: 60\r\nContent-Length: 2\r\n\r\nhi"),
      "HTTP/1.1 429 Slow Down\r\nServer: x\r\nset-cookie: a\r\nset-cookie: b\r\nRetry-After: 1\r\n"
      "X-RateLimit-Limit: 60\r\nContent-Length: 2\r\n\r\n");
}

TEST(AppendClientHeadTest, DropsHopByHopFieldsAndWhatConnectionNames) {
  EXPECT_EQ(Client("HTTP/1.1 200 OK\r\nConnection: close, X-Foo, set-cookie\r\nX-Foo: 1\r\nSet-Cookie: a\r\n"
                   "Keep-Alive: 5\r\nTrailer: X\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\n"
                   "Proxy-Connection: close\r\nProxy-Status: cdn\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nProxy-Status: cdn\r\nContent-Length: 0\r\n\r\n");
}

TEST(AppendClientHeadTest, UnmeasuredBodiesAreChunkedForHttp11AndEndWithTheConnectionForHttp10) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  const std::string until_close = "HTTP/1.0 200 OK\r\n\r\nhello";
  const std::string to_11 = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n[chunked]";
  const std::string to_10 = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[close]";
  EXPECT_EQ(Client(chunked), to_11);
  EXPECT_EQ(Client(until_close), to_11);
  EXPECT_EQ(Client(chunked, "GET", 0), to_10);
  EXPECT_EQ(Client(until_close, "GET", 0), to_10);
}

TEST(AppendClientHeadTest, ConnectionSaysWhetherItLivesOn) {
  const std::string text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(Client(text, "GET", 1, true), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Client(text, "GET", 1, false),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n[close]");
  EXPECT_EQ(Client(text, "GET", 0, true),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(AppendClientHeadTest, HeadAnd304KeepTheLengthTheyState) {
  EXPECT_EQ(Client("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[bodiless]");
  EXPECT_EQ(Client("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD"),
            "HTTP/1.1 200 OK\r\n\r\n[bodiless]");
  EXPECT_EQ(Client("HTTP/1.1 200 OK\r\n\r\n", "HEAD", 0),
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n[bodiless]");
  EXPECT_EQ(Client("HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n"),
            "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n[bodiless]");
}

TEST(AppendClientHeadTest, NoLengthOn204AndNeitherLengthNorConnectionOn1xx) {
  EXPECT_EQ(Client("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
            "HTTP/1.1 204 No Content\r\n\r\n[bodiless]");
  EXPECT_EQ(Client("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "HEAD"),
            "HTTP/1.1 204 No Content\r\n\r\n[bodiless]");
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n";
  EXPECT_EQ(Client(hints + "Content-Length: 5\r\n\r\n", "GET", 1, true, true), hints + "\r\n[bodiless]");
}

TEST(AppendClientHeadTest, DateIsAddedOnlyWhereItIsMissing) {
  const std::string end = "Content-Length: 0\r\n\r\n";
  EXPECT_EQ(Client("HTTP/1.1 200 OK\r\n" + end, "GET", 1, true, true),
            "HTTP/1.1 200 OK\r\nDate: Sun, 01 Mar 2026 00:00:00 GMT\r\n" + end);
  EXPECT_EQ(Client("HTTP/1.1 200 OK\r\ndate: theirs\r\n" + end, "GET", 1, true, true),
            "HTTP/1.1 200 OK\r\ndate: theirs\r\n" + end);
}

TEST(AppendClientHeadTest, AddressesOfTheApiAreLedBackThroughTheAgent) {
  const BaseUrl base = *ParseBaseUrl("https://api.example/v1");
  const std::string more[] = {"x-upload-url"};
  const LinkMapping links{
      .base = &base, .prefix = "/r", .scheme = "http", .host = "localhost:4290", .more = more};
  ResponseParser parser(CodecLimits{});
  const auto written = [&](std::string_view text, const LinkMapping* mapping) {
    parser.Reset("GET");
    std::vector<std::string_view> body;
    EXPECT_TRUE(parser.Parse(text, &body).head_complete);
    std::string out;
    AppendClientHead({.head = &parser.head(), .links = mapping}, &out);
    return out;
  };
  const std::string_view text =
      "HTTP/1.1 201 Created\r\nA: /v1/a\r\nLocation: /v1/b\r\nB: /v1/b\r\nC: d\r\n"
      "Link: <https://api.example/v1/c>; rel=next\r\nX-Upload-URL: https://api.example/v1/d\r\n"
      "Content-Location: /w\r\nRefresh: 5; url=/v1/x\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(written(text, &links),
            "HTTP/1.1 201 Created\r\nA: /v1/a\r\nLocation: /r/b\r\nB: /v1/b\r\nC: d\r\n"
            "Link: <http://localhost:4290/r/c>; rel=next\r\nX-Upload-URL: http://localhost:4290/r/d\r\n"
            "Content-Location: /w\r\nRefresh: 5; url=/v1/x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written(text, nullptr), text);
  EXPECT_EQ(written("HTTP/1.1 103 Early Hints\r\nLink: </v1/a>; rel=preload\r\n\r\n", &links),
            "HTTP/1.1 103 Early Hints\r\nLink: </r/a>; rel=preload\r\n\r\n");
}

TEST(AppendOwnAnswerTest, SaysWhoSpeaksAndWhy) {
  std::string out;
  AppendOwnAnswer({.status = 502,
                   .proxy_status_error = "connection_refused",
                   .rule = "upstream_connect",
                   .detail = "\"api\" \\ refused\xff \xe2\x80\x94\n",
                   .close = true},
                  kNow, &out);
  EXPECT_EQ(
      out,
      "HTTP/1.1 502 Bad Gateway\r\nDate: Sun, 01 Mar 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n"
      "Cache-Control: no-store\r\n"
      "Proxy-Status: apiquota; error=connection_refused; details=\"\\\"api\\\" \\\\ refused? ??\"\r\n"
      "Content-Length: 105\r\nConnection: close\r\n\r\n"
      "{\"error\":{\"source\":\"apiquota\",\"rule\":\"upstream_connect\","
      "\"message\":\"\\\"api\\\" \\\\ refused\\ufffd \xe2\x80\x94\\u000a\"}}\n");
}

TEST(AppendOwnAnswerTest, HeadGetsTheHeadAlone) {
  std::string get;
  std::string head;
  AppendOwnAnswer({.status = 404, .rule = "route", .detail = "no such route"}, kNow, &get);
  AppendOwnAnswer({.status = 404, .rule = "route", .detail = "no such route", .head_request = true}, kNow,
                  &head);
  EXPECT_EQ(head, get.substr(0, get.find("\r\n\r\n") + 4));
}

}  // namespace
}  // namespace apiquota::http
