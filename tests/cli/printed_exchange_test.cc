#include "cli/printed_exchange.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace apiquota::cli {
namespace {

// Everything that was understood, as one text.
std::string Read(const std::string& text) {
  const auto exchange = ParsePrintedExchange(text);
  if (!exchange) return exchange.error().message;
  std::string out = fmt::format("{}{} [{}] -> {}", exchange->host, exchange->path, exchange->request_body,
                                exchange->status);
  for (size_t i = 0; i < exchange->fields.size(); ++i) {
    out += fmt::format(" {}={}", exchange->fields[i].name, exchange->fields[i].value);
  }
  return out + fmt::format(" [{}]", exchange->body);
}

TEST(PrintedExchangeTest, TheLastOfSeveralBlocksCounts) {
  EXPECT_EQ(Read("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                 "HTTP/1.1 301 Moved\r\nContent-Length: 5\r\nX: 1\r\n\r\nmovedHTTP/2 429 \r\nY: 2\r\n"
                 "Long: a,\r\n  b\r\n\r\nHTTP is a protocol\nHTTP/1.1 200 OK\n"),
            " [] -> 429 Y=2 Long=a, b [HTTP is a protocol\nHTTP/1.1 200 OK\n]");
  EXPECT_EQ(Read("HTTP/2 200\nX: 1\n\n{\"a\": 1}\nHTTP/2 429\nY: 2\n\n{}"), " [] -> 429 Y=2 [{}]");
  EXPECT_EQ(Read("HTTP/1.1 103 Early Hints\nLink: x\nHTTP/1.1 200 OK\nX: 1\n"), " [] -> 200 X=1 []");
}

TEST(PrintedExchangeTest, ATextThatQuotesAMessageIsABody) {
  EXPECT_EQ(Read("HTTP/2 200\nContent-Type: text/plain\n\nAs in:\nHTTP/2 429\nY: 2\n\n"),
            " [] -> 200 Content-Type=text/plain [As in:\nHTTP/2 429\nY: 2\n\n]");
}

TEST(PrintedExchangeTest, EveryVersionAndCaseIsRead) {
  for (const auto* line : {"HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/2 200 ", "HTTP/2.0 200 OK", "HTTP/3 200",
                           "http/1.1 200 ok", "\n\r\nHTTP/1.1  200 OK\r\n", "\xef\xbb\xbfHTTP/1.1 200"}) {
    EXPECT_EQ(Read(line), " [] -> 200 []") << line;
  }
}

TEST(PrintedExchangeTest, ColoursOfATerminalAreNoPartOfIt) {
  EXPECT_EQ(
      Read("\x1b[34mHTTP\x1b[39;49;00m/\x1b[34m1.1\x1b[39m \x1b[34m200\x1b[39m OK\n\x1b[1mX\x1b[0m: 1\n\n"),
      " [] -> 200 X=1 []");
}

TEST(PrintedExchangeTest, CurlWithDashVIsReadWithoutItsMarks) {
  EXPECT_EQ(Read("*   Trying 192.0.2.1:443...\n* Connected to api.example.com (192.0.2.1) port 443 (#0)\n"
                 "> GET /v1/me?token=x HTTP/2\r\n> Host: API.example.com:8443\r\n> accept: */*\r\n>\r\n"
                 "< HTTP/2 429 \r\n< X-Limit: 5\r\n< \r\n{ [7 bytes data]\n"
                 "{\"a\": 1}* Connection #0 to host api.example.com left intact\n"),
            "api.example.com/v1/me [] -> 429 X-Limit=5 [{\"a\": 1}\n]");
}

TEST(PrintedExchangeTest, TheMeterOfCurlIsPassedOver) {
  const std::string meter =
      "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
  EXPECT_EQ(
      Read("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
           "                                 Dload  Upload   Total   Spent    Left  Speed\n" +
           meter + "*   Trying 127.0.0.1:80...\n> GET / HTTP/1.1\n> Host: a\n> \n" + meter + meter +
           "< HTTP/1.1 200 OK\n< X: 1\n< \n{ [2 bytes data]\n" + meter + "\n* Connection #0 left\n{}\n"),
      "a/ [] -> 200 X=1 [\n{}\n\n]");
}

TEST(PrintedExchangeTest, OfCurlsSeveralAnswersTheLastCounts) {
  EXPECT_EQ(Read("> CONNECT a:443 HTTP/1.1\n> Host: a:443\n> \n< HTTP/1.1 200 Connection established\n< \n"
                 "> POST /x HTTP/1.1\n> Host: a\n> \n< HTTP/1.1 100 Continue\n< \n} [9 bytes data]\n"
                 "< HTTP/1.1 302 Found\n< X: 1\n< \n* Ignoring the response-body\n"
                 "> GET /y HTTP/1.1\n> Host: b\n> \n< HTTP/1.1 429 Slow down\n< Y: 2\n"),
            "b/y [] -> 429 Y=2 []");
}

TEST(PrintedExchangeTest, CurlWithDashVAndDashISaysTheHeadTwice) {
  EXPECT_EQ(Read("> GET / HTTP/1.1\n> Host: a\n> \n< HTTP/1.1 200 OK\n< X: 1\n< \n"
                 "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n{}"),
            "a/ [] -> 200 X=1 [{}\n]");
}

TEST(PrintedExchangeTest, HttpieIsReadWithItsRequestsToo) {
  const std::string request =
      "POST /v1/chat HTTP/1.1\nAccept: */*\nHost: api.example.com\nContent-Type: application/json\n\n"
      "{\n    \"model\": \"m\"\n}\n\n\n";
  EXPECT_EQ(Read(request + "HTTP/1.1 429 Too Many Requests\nX: 1\n\n{\n    \"error\": 1\n}\n\n\n"),
            "api.example.com/v1/chat [{\n    \"model\": \"m\"\n}] -> 429 X=1 [{\n    \"error\": 1\n}\n\n\n]");
  EXPECT_EQ(Read("GET / HTTP/1.1\nHost: a\n\n\n\nHTTP/1.1 302 Found\nLocation: /b\n\n<html>\n\n"
                 "GET /b HTTP/1.1\nHost: b\n\n\n\nHTTP/1.1 200 OK\nX: 1\n\n"),
            "b/b [] -> 200 X=1 []");
}

TEST(PrintedExchangeTest, ATargetMayBeAWholeUrl) {
  EXPECT_EQ(Read("GET https://User@API.example.com:443/a/b?c HTTP/1.1\n\nHTTP/1.1 204 No Content\n\n"),
            "api.example.com/a/b [] -> 204 []");
}

TEST(PrintedExchangeTest, ARecordingIsReadAsItStands) {
  const std::string comments =
      "# source: documented: https://a.example\n# request: POST https://API.example.com/v1?k=v\n";
  EXPECT_EQ(Read(comments + "HTTP/2 429\nX: 1\n\n# no comment\n"),
            "api.example.com/v1 [] -> 429 X=1 [# no comment\n]");
  EXPECT_EQ(ParsePrintedExchange(comments + "\nHTTP/2 429\n\n")->method, "POST");
  EXPECT_EQ(ParsePrintedExchange(comments + "HTTP/2 429\n\n")->query, "k=v");
  EXPECT_EQ(Read("# request: GET https://a.example/\n# written by hand\nHTTP/2 200\n\n"),
            "a.example [] -> 200 []")
      << "an origin alone says nothing of the path";
  EXPECT_EQ(Read("# request: https://a.example/x\n> GET /y HTTP/1.1\n> Host: b\n>\n< HTTP/1.1 200 OK\n<\n"),
            "b/y [] -> 200 [\n]")
      << "a request that is shown knows better";
  EXPECT_EQ(Read("# request: nonsense\nHTTP/2 200\n\n"), "nonsense [] -> 200 []");
}

TEST(PrintedExchangeTest, WgetWithDashSIsReadWithoutItsRemarks) {
  const std::string asked =
      "--2024-06-13 00:00:00--  https://api.example.com/v1/me?token=x\n"
      "Resolving api.example.com (api.example.com)... 192.0.2.1\n"
      "Connecting to api.example.com (api.example.com)|192.0.2.1|:443... connected.\n"
      "HTTP request sent, awaiting response... \n";
  EXPECT_EQ(Read(asked + "  HTTP/1.1 302 Found\n  Location: /v2/me\n"
                         "Location: https://api.example.com/v2/me [following]\n"
                         "--2024-06-13 00:00:01--  https://api.example.com/v2/me\n"
                         "Reusing existing connection to api.example.com:443.\n"
                         "HTTP request sent, awaiting response... \r\n"
                         "  HTTP/1.1 429 Too Many Requests\r\n  X-Limit: 5\r\n  X-Left: 0\r\n"
                         "2024-06-13 00:00:01 ERROR 429: Too Many Requests.\n\n"),
            "api.example.com/v2/me [] -> 429 X-Limit=5 X-Left=0 [\n\n]");
  EXPECT_EQ(
      Read(asked + "  HTTP/1.1 200 OK\n  X-Limit: 5\nLength: 8 [application/json]\nSaving to: 'STDOUT'\n"
                   "{\"a\": 1}\n     0K                   100% 11.3M=0s\n"
                   "2024-06-13 00:00:01 (11.3 MB/s) - written to stdout [8/8]\n"),
      "api.example.com/v1/me [] -> 200 X-Limit=5 [{\"a\": 1}\n\n]");
}

TEST(PrintedExchangeTest, WgetMayBeQuiet) {
  EXPECT_EQ(Read("  HTTP/1.1 200 OK\n  X-Limit: 5\n{\n  \"a\": 1\n}\n"),
            " [] -> 200 X-Limit=5 [{\n  \"a\": 1\n}\n\n]");
  EXPECT_EQ(ParsePrintedExchange("Spider mode enabled. Check if remote file exists.\n"
                                 "--2024-06-13 00:00:00--  https://a.example/\n  HTTP/1.1 200 OK\n")
                ->method,
            "HEAD");
}

}  // namespace
}  // namespace apiquota::cli
