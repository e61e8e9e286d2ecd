// The poller's door has the proxy's grammar, whatever libcurl makes of a response.
#include <gtest/gtest.h>

#include "tests/http/message_table.h"
#include "tests/net/http_client_kit.h"

namespace apiquota::net {
namespace {

using std::chrono::milliseconds;

TEST_F(HttpClientTest, AHeadBeyondItsBoundIsNoAnswer) {
  Make({.head_bytes_max = 1000, .fields_max = 20});
  const std::string big = "HTTP/1.1 200 OK\r\nX-A: " + std::string(1000, 'a') + "\r\n\r\n";
  EXPECT_EQ(Judged(big), "head_size");
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 21; ++i) many += "A: b\r\n";
  EXPECT_EQ(Judged(many + "Content-Length: 0\r\n\r\n"), "field_count");
}

// libcurl judges the bodies.
TEST_F(HttpClientTest, HeadsAreJudgedAsTheProxyJudgesThem) {
  Make({.timeout = milliseconds(5000)});
  size_t refused = 0;
  size_t taken = 0;
  for (const http::TableRow& row : http::ReadTable("responses.table")) {
    const bool of_body = row.rule == "chunk" || row.rule == "trailer" || row.status == 0;
    if (of_body || row.bytes.find("HTTP/1.1 101") == 0) continue;
    const std::string judged = Judged(row.bytes);
    if (row.status == 200) {
      EXPECT_EQ(judged, "") << row.name;
      ++taken;
    } else {
      // Some of it libcurl itself refuses before it hands it over.
      EXPECT_TRUE(judged == row.rule || judged == "error") << row.name << ": " << judged;
      ++refused;
    }
  }
  EXPECT_GT(refused, 30U);
  EXPECT_GT(taken, 20U);
  EXPECT_EQ(Judged("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
            "upgrade");
}

// libcurl 7.88 wrote to freed memory here; AddressSanitizer or luck tells.
TEST_F(HttpClientTest, AContinuationLineFirstTouchesNothingOfTheAnswerBefore) {
  Make();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Judged("HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\n\r\n"), "");
    EXPECT_EQ(ErrorOf("HTTP/1.1 200 OK\r\n X: " + std::string(500, 'y') + "\r\nContent-Length: 0\r\n\r\n"),
              ClientError::kBadResponse);
  }
}

TEST_F(HttpClientTest, ABodyWhoseLengthLibcurlDoesNotSeeIsNotReadUntilClose) {
  Make();
  FakeUpstream length(Answering("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"));
  ClientResult result = Ask(To(length));
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_EQ(result.body, "hello");
  EXPECT_TRUE(result.body_whole);
  FakeUpstream none(Answering("HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"));
  result = Ask(To(none));
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_TRUE(result.body_whole);
  FakeUpstream chunks(Answering("HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"));
  result = Ask(To(chunks));
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_EQ(result.fields.Find("x"), "y");
  EXPECT_FALSE(result.body_whole);
  FakeUpstream cut([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length : 9\r\n\r\nhal");
  });
  EXPECT_EQ(Ask(To(cut)).error, ClientError::kTruncated);
}

TEST_F(HttpClientTest, InterimResponsesAreBoundedByTheirBytesNotTheirNumber) {
  Make();
  std::string hints;
  for (int i = 0; i < 500; ++i) hints += "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
  FakeUpstream upstream(Answering(hints + std::string(kOk)));
  EXPECT_EQ(Ask(To(upstream)).body, "hello");
  EXPECT_EQ(Judged(hints + hints + hints + std::string(kOk)), "interim");
}

}  // namespace
}  // namespace apiquota::net
