#include <gtest/gtest.h>

#include <algorithm>

#include "tests/http/codec_harness.h"
#include "tests/http/message_table.h"

namespace apiquota::http {
namespace {

TEST(RequestTableTest, EveryRowIsJudgedAsWritten) {
  for (const TableRow& row : ReadTable("requests.table")) {
    const Parsed parsed = FeedRequests(row.bytes, {0});
    EXPECT_EQ(parsed.complete, row.complete) << row.name;
    EXPECT_EQ(parsed.refusal ? parsed.refusal->status : 200, row.status) << row.name;
    EXPECT_EQ(parsed.refusal ? parsed.refusal->rule : "-", row.rule) << row.name;
    if (!parsed.refusal) {
      EXPECT_EQ(parsed.consumed, row.bytes.size()) << row.name;
    }
  }
}

TEST(RequestTableTest, EveryRefusalNamesAListedRule) {
  for (const TableRow& row : ReadTable("requests.table")) {
    if (row.status == 200) continue;
    EXPECT_NE(std::ranges::find(kRefusalRules, row.rule), std::end(kRefusalRules)) << row.name;
  }
}

TEST(RequestTableTest, BytewiseFeedingJudgesLikeWholeFeeding) {
  for (const TableRow& row : ReadTable("requests.table")) {
    const Parsed whole = FeedRequests(row.bytes, {0});
    EXPECT_EQ(FeedRequests(row.bytes, {1}), whole) << row.name;
    EXPECT_EQ(FeedRequests(row.bytes, {2, 3, 7, 1}), whole) << row.name;
  }
}

TEST(RequestTableTest, EveryCutIntoTwoJudgesLikeWholeFeeding) {
  for (const TableRow& row : ReadTable("requests.table")) {
    if (row.bytes.size() > 1000) continue;
    const Parsed whole = FeedRequests(row.bytes, {0});
    for (size_t cut = 1; cut < row.bytes.size(); ++cut) {
      ASSERT_EQ(FeedRequests(row.bytes, {cut, row.bytes.size()}), whole) << row.name << " cut at " << cut;
    }
  }
}

TEST(RequestParserTest, HeadIsReadAsSent) {
  const Parsed parsed = FeedRequests(
      "POST http://b/x?y HTTP/1.1\r\nhOsT: a:1\r\nX-Empty:\r\nX:  y \r\nExpect: 100-Continue\r\n"
      "Content-Length: 005\r\n\r\nhello",
      {0});
  EXPECT_EQ(parsed.text,
            "POST http://b/x?y 1.1\nhOsT=a:1\nX-Empty=\nX=y\nExpect=100-Continue\nContent-Length=005\n"
            "framing=1 length=5 keep-alive\nhost=a:1 expect\nbody:hello\n--\n");
}

TEST(RequestParserTest, TrailersAreNotMergedIntoFields) {
  const Parsed parsed = FeedRequests(
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nHost: b\r\nX: "
      "y\r\n\r\n",
      {0});
  EXPECT_EQ(
      parsed.text,
      "POST /x 1.1\nHost=a\nTransfer-Encoding=chunked\nframing=2 length=0 keep-alive\nhost=a\nbody:hi\n--\n");
}

TEST(RequestParserTest, ConnectionDecidesWhetherTheConnectionLivesOn) {
  const auto keep_alive = [](std::string_view version, std::string_view fields) {
    RequestParser parser(CodecLimits{});
    std::vector<std::string_view> body;
    const std::string text =
        "GET / " + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    EXPECT_TRUE(parser.Parse(text, &body).complete);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keep_alive("HTTP/1.1", ""));
  EXPECT_FALSE(keep_alive("HTTP/1.1", "Connection: x, Close\r\n"));
  EXPECT_FALSE(keep_alive("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keep_alive("HTTP/1.0", ""));
  EXPECT_TRUE(keep_alive("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keep_alive("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestParserTest, ExpectIsIgnoredFromHttp10) {
  const Parsed parsed =
      FeedRequests("POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", {0});
  EXPECT_EQ(
      parsed.text,
      "POST /x 1.0\nExpect=100-continue\nContent-Length=0\nframing=1 length=0 close\nhost=\nbody:\n--\n");
}

TEST(RequestParserTest, BodySlicesPointIntoTheInput) {
  const std::string input =
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\nyou\r\n0\r\n\r\n";
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  EXPECT_TRUE(parser.Parse(input, &body).complete);
  ASSERT_EQ(body.size(), 2);
  EXPECT_EQ(body[0].data(), input.data() + input.find("hi"));
  EXPECT_EQ(body[1].data(), input.data() + input.find("you"));
}

TEST(RequestParserTest, LimitsAreExact) {
  const std::string text = "GET /abc HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  CodecLimits limits{.head_bytes_max = text.size(), .fields_max = 2, .target_bytes_max = 4};
  for (const std::vector<size_t>& cuts : {std::vector<size_t>{0}, std::vector<size_t>{1}}) {
    EXPECT_EQ(FeedRequests(text, cuts, limits).complete, 1);
    EXPECT_EQ(FeedRequests(text, cuts, {.head_bytes_max = text.size() - 1}).refusal->rule, "head_size");
    EXPECT_EQ(FeedRequests(text, cuts, {.fields_max = 1}).refusal->rule, "field_count");
    EXPECT_EQ(FeedRequests(text, cuts, {.target_bytes_max = 3}).refusal->rule, "target");
  }
}

TEST(RequestParserTest, ChunkAndTrailerLimitsAreExact) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string text = head + "2;abc=d\r\nhi\r\n0\r\nX: y\r\n\r\n";
  for (const std::vector<size_t>& cuts : {std::vector<size_t>{0}, std::vector<size_t>{1}}) {
    EXPECT_EQ(FeedRequests(text, cuts, {.chunk_line_bytes_max = 7, .trailer_bytes_max = 8}).complete, 1);
    EXPECT_EQ(FeedRequests(text, cuts, {.chunk_line_bytes_max = 6}).refusal->rule, "chunk");
    EXPECT_EQ(FeedRequests(text, cuts, {.trailer_bytes_max = 7}).refusal->rule, "trailer");
  }
}

TEST(RequestParserTest, RefusalIsFinalUntilReset) {
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  const ParseStep refused = parser.Parse("GET / HTTP/1.1\r\n\r\n", &body);
  EXPECT_EQ(refused.refusal, (Refusal{400, "host", "no Host"}));
  EXPECT_FALSE(refused.head_complete);
  EXPECT_EQ(parser.Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &body).refusal, refused.refusal);
  parser.Reset();
  EXPECT_TRUE(parser.Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &body).complete);
}

TEST(RequestParserTest, AnEmptyLineAloneIsNotTheStartOfARequest) {
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  EXPECT_EQ(parser.Parse("\r\n", &body).consumed, 2);
  EXPECT_FALSE(parser.got_some());
  EXPECT_EQ(parser.Parse("G", &body).consumed, 0);
  EXPECT_TRUE(parser.got_some());
}

TEST(RequestParserTest, ALargeHeadTakesNoMemoryOnceItIsOver) {
  RequestParser parser({.head_bytes_max = 1 << 20, .fields_max = 5000, .target_bytes_max = 1 << 19});
  std::string head = "GET /" + std::string(100'000, 't') + " HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 4000; ++i) head += "X-Name: " + std::string(100, 'v') + "\r\n";
  std::vector<std::string_view> body;
  parser.Reset();
  ASSERT_TRUE(parser.Parse(head + "\r\n", &body).complete);
  EXPECT_GT(parser.kept_bytes(), head.size());
  parser.Reset();
  EXPECT_LT(parser.kept_bytes(), 32U * 1024);
}

}  // namespace
}  // namespace apiquota::http
