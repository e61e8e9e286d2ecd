#include <gtest/gtest.h>

#include <algorithm>

#include "tests/http/codec_harness.h"
#include "tests/http/message_table.h"

namespace apiquota::http {
namespace {

// The row's verdict as the table writes it, after the connection has ended behind the bytes.
std::string Verdict(const std::string& bytes, const std::vector<size_t>& cuts) {
  ResponseParser parser(CodecLimits{});
  const Parsed parsed = Feed(parser, bytes, cuts, [&parser] { parser.Reset("GET"); });
  if (parsed.refusal) {
    return std::to_string(parsed.complete) + " " + std::to_string(parsed.refusal->status) + " " +
           std::string(parsed.refusal->rule);
  }
  const bool all_complete = parsed.consumed == bytes.size() && !parser.got_some();
  const bool completed_by_end = !all_complete && parser.ParseEnd();
  const size_t complete = parsed.complete + (completed_by_end ? 1 : 0);
  return std::to_string(complete) + (all_complete || completed_by_end ? " 200 -" : " 0 -");
}

TEST(ResponseTableTest, EveryRowIsJudgedAsWritten) {
  for (const TableRow& row : ReadTable("responses.table")) {
    const std::string expected =
        std::to_string(row.complete) + " " + std::to_string(row.status) + " " + row.rule;
    EXPECT_EQ(Verdict(row.bytes, {0}), expected) << row.name;
  }
}

TEST(ResponseTableTest, EveryRefusalNamesAListedRule) {
  for (const TableRow& row : ReadTable("responses.table")) {
    if (row.status != 502) continue;
    EXPECT_NE(std::ranges::find(kResponseRefusalRules, row.rule), std::end(kResponseRefusalRules))
        << row.name;
  }
}

TEST(ResponseTableTest, BytewiseFeedingJudgesLikeWholeFeeding) {
  for (const TableRow& row : ReadTable("responses.table")) {
    const Parsed whole = FeedResponses(row.bytes, "GET", {0});
    EXPECT_EQ(FeedResponses(row.bytes, "GET", {1}), whole) << row.name;
    EXPECT_EQ(Verdict(row.bytes, {1}), Verdict(row.bytes, {0})) << row.name;
  }
}

TEST(ResponseTableTest, EveryCutIntoTwoJudgesLikeWholeFeeding) {
  for (const TableRow& row : ReadTable("responses.table")) {
    if (row.bytes.size() > 1000) continue;
    const Parsed whole = FeedResponses(row.bytes, "GET", {0});
    for (size_t cut = 1; cut < row.bytes.size(); ++cut) {
      ASSERT_EQ(FeedResponses(row.bytes, "GET", {cut, row.bytes.size()}), whole)
          << row.name << " cut at " << cut;
    }
  }
}

TEST(ResponseParserTest, BlanksBeforeColonsAreNotForwarded) {
  const Parsed parsed =
      FeedResponses("HTTP/1.1 200\r\nX \t: y\r\nZ :\r\nContent-Length : 2\r\n\r\nhi", "GET", {0});
  EXPECT_EQ(parsed.text, "200  1.1\nX=y\nZ=\nContent-Length=2\nframing=1 length=2 keep-alive\nbody:hi\n--\n");
}

TEST(ResponseParserTest, AFramingFieldWithABlankBeforeItsColonIsNeverReadUntilClose) {
  for (const std::string_view field : {"Content-Length : 2", "Content-Length\t: 2", "content-length  :2"}) {
    const Parsed parsed = FeedResponses(
        "HTTP/1.1 200 OK\r\n" + std::string(field) + "\r\n\r\nhiHTTP/1.1 204 \r\n\r\n", "GET", {0});
    EXPECT_EQ(parsed.complete, 2U) << field;
  }
}

TEST(ResponseParserTest, FoldsBecomeSpaces) {
  const Parsed parsed = FeedResponses(
      "HTTP/1.1 200 OK\r\nA: 1,\r\n 2,\r\n\t 3\r\nB: \r\n b\r\nConnection: x,\r\n close\r\nContent-Length: "
      "0\r\n\r\n",
      "GET", {0});
  EXPECT_EQ(parsed.text,
            "200 OK 1.1\nA=1,   2,    3\nB=b\nConnection=x,   close\nContent-Length=0\nframing=1 length=0 "
            "close\nbody:\n--\n");
}

TEST(ResponseParserTest, EqualContentLengthsAreOne) {
  EXPECT_EQ(
      FeedResponses("HTTP/1.1 200 OK\r\nContent-Length: 2, 02\r\nContent-Length: 2\r\n\r\nhi", "GET", {0})
          .text,
      "200 OK 1.1\nContent-Length=2, 02\nContent-Length=2\nframing=1 length=2 keep-alive\nbody:hi\n--\n");
}

TEST(ResponseParserTest, ALargeHeadTakesNoMemoryOnceItIsOver) {
  const CodecLimits limits{.head_bytes_max = 1 << 20, .fields_max = 5000};
  ResponseParser parser(limits);
  std::string head = "HTTP/1.1 200 " + std::string(100'000, 'r') + "\r\n";
  for (int i = 0; i < 4000; ++i) head += "X-Name: " + std::string(100, 'v') + "\r\n";
  std::vector<std::string_view> body;
  parser.Reset("GET");
  ASSERT_TRUE(parser.Parse(head + "\r\n", &body).head_complete);
  EXPECT_GT(parser.kept_bytes(), head.size());
  parser.Reset("GET");
  EXPECT_LT(parser.kept_bytes(), 32U * 1024);
}

TEST(ResponseParserTest, HeadResponseHasNoBodyWhateverItsLengthSays) {
  const Parsed parsed =
      FeedResponses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HEAD", {0});
  EXPECT_EQ(parsed.text,
            "200 OK 1.1\nContent-Length=5\nframing=0 length=5 keep-alive\nbody:\n--\n"
            "200 OK 1.1\nframing=0 length=0 keep-alive\nbody:\n--\n");
}

TEST(ResponseParserTest, HeadResponseMayBeChunkedInName) {
  const Parsed parsed = FeedResponses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", {0});
  EXPECT_EQ(parsed.text, "200 OK 1.1\nTransfer-Encoding=chunked\nframing=0 length=0 keep-alive\nbody:\n--\n");
}

TEST(ResponseParserTest, InterimResponsesAreMessagesOfTheirOwn) {
  const Parsed parsed = FeedResponses(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "GET",
      {0});
  EXPECT_EQ(parsed.text,
            "103 Early Hints 1.1\nLink=</a>\nframing=0 length=0 keep-alive\nbody:\n--\n"
            "200 OK 1.1\nContent-Length=2\nframing=1 length=2 keep-alive\nbody:hi\n--\n");
}

TEST(ResponseParserTest, TrailersAreNotMergedIntoFields) {
  const Parsed parsed = FeedResponses(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nSet-Cookie: a=b\r\n\r\n", "GET",
      {0});
  EXPECT_EQ(parsed.text,
            "200 OK 1.1\nTransfer-Encoding=chunked\nframing=2 length=0 keep-alive\nbody:hi\n--\n");
}

TEST(ResponseParserTest, A204ThatAnnouncesABodyIsNotKeptAlive) {
  EXPECT_EQ(FeedResponses("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "GET", {0}).text,
            "204 No Content 1.1\nContent-Length=5\nframing=0 length=5 close\nbody:\n--\n");
  EXPECT_EQ(FeedResponses("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "GET", {0}).text,
            "204 No Content 1.1\nContent-Length=0\nframing=0 length=0 keep-alive\nbody:\n--\n");
}

TEST(ResponseParserTest, ReadUntilCloseIsNotKeptAlive) {
  ResponseParser parser(CodecLimits{});
  parser.Reset("GET");
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse("HTTP/1.1 200 OK\r\n\r\nhello", &body);
  EXPECT_FALSE(step.complete);
  EXPECT_EQ(parser.head().framing, BodyFraming::kUntilClose);
  EXPECT_FALSE(parser.head().keep_alive);
  EXPECT_TRUE(parser.ParseEnd());
}

TEST(ResponseParserTest, EndBeforeTheFirstByteCompletesNothing) {
  ResponseParser parser(CodecLimits{});
  parser.Reset("GET");
  EXPECT_FALSE(parser.ParseEnd());
}

}  // namespace
}  // namespace apiquota::http
