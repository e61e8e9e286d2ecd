#include "cli/har.h"

#include <gtest/gtest.h>

namespace apiquota::cli {
namespace {

const std::string kEntry = R"({
  "startedDateTime": "2024-06-13T00:00:00.000Z", "time": 1500.5,
  "request": {"method": "POST", "url": "https://API.example.com:443/v1/chat?key=x",
    "postData": {"text": "{\"m\":1}"},
    "headers": [{"name": ":authority", "value": "a"}, {"name": "Cookie", "value": "c=1"}]},
  "response": {"status": 429, "headers": [{"name": ":status", "value": "429"},
       {"name": "X-Limit", "value": "5\n6"}
      ],
    "content": {"mimeType": "application/json", "encoding": "base64", "text": "eyJhIjoxfQ=="}}})";

TEST(HarTest, AnEntryIsAnExchange) {
  ASSERT_TRUE(LooksLikeHar(kEntry));
  const auto exchanges = ParseHar(kEntry);
  ASSERT_TRUE(exchanges.has_value()) << exchanges.error().message;
  ASSERT_EQ(exchanges->size(), 1u);
  const PrintedExchange& exchange = exchanges->front();
  EXPECT_EQ(exchange.method, "POST");
  EXPECT_EQ(exchange.host, "api.example.com");
  EXPECT_EQ(exchange.path, "/v1/chat");
  EXPECT_EQ(exchange.query, "key=x");
  EXPECT_EQ(exchange.request_fields.size(), 1u);
  EXPECT_EQ(exchange.request_body, "{\"m\":1}");
  EXPECT_EQ(exchange.status, 429);
  EXPECT_EQ(exchange.fields.Joined("x-limit"), "5, 6");
  EXPECT_EQ(exchange.body, "{\"a\":1}");
  EXPECT_EQ(exchange.received_at, SystemTime(std::chrono::milliseconds(1'718'236'801'500)) + Micros(500));
}

TEST(HarTest, AFileALogAndAListHoldEntries) {
  const std::string list = "[" + kEntry + "," + kEntry + "]";
  const std::string log = "{\"version\": \"1.2\", \"entries\": " + list + "}";
  for (const std::string& text : {list, log, "\xef\xbb\xbf{\"log\": " + log + "}"}) {
    EXPECT_TRUE(LooksLikeHar(text));
    const auto exchanges = ParseHar(text);
    ASSERT_TRUE(exchanges.has_value()) << exchanges.error().message;
    EXPECT_EQ(exchanges->size(), 2u);
  }
}

TEST(HarTest, WhatIsNoneIsSaid) {
  const auto error = [](const std::string& text) {
    const auto exchanges = ParseHar(text);
    return exchanges ? "" : exchanges.error().message;
  };
  EXPECT_EQ(error("{\"log\": {\"entries\": [{\"request\": {}, \"response\":"),
            "the HAR file is not JSON: cut off, or more than one document");
  EXPECT_EQ(error("{\"request\": 1, \"response\": 2}"),
            "the input is JSON and no HAR: expected a log, entries or one entry");
  EXPECT_EQ(error("[1]"), "entry 1 of the HAR file has no request");
  EXPECT_EQ(error("{\"log\": {\"entries\": []}}"), "the HAR file has no entries");
  EXPECT_TRUE(LooksLikeHar("{\"log\": {\"entries\": []}}"));
  EXPECT_FALSE(LooksLikeHar("{\"error\": 1}"));
  EXPECT_FALSE(LooksLikeHar("HTTP/1.1 200 OK\n\n{\"request\": 1, \"response\": 2}"));
}

TEST(HarTest, HalfACharacterIsNoHarm) {
  const auto body = [](const std::string& text) {
    const auto exchanges =
        ParseHar(R"({"request": {}, "response": {"status": 200, "content": {"text": ")" + text + R"("}}})");
    return exchanges ? exchanges->front().body : exchanges.error().message;
  };
  EXPECT_EQ(body(R"(\ud83d)"), "\ufffd");
  EXPECT_EQ(body(R"(a\uDE00b)"), "a\ufffdb");
  EXPECT_EQ(body(R"(\ud83d\ud83d\ude00)"), "\ufffd\U0001f600") << "a whole pair stays";
  EXPECT_EQ(body(R"(\\ud83d\ud83d)"), "\\ud83d\ufffd") << "a backslash and five letters are no escape";
  EXPECT_EQ(body(R"(\ud83)"), "the HAR file is not JSON: cut off, or more than one document");
}

TEST(HarTest, OddMembersAreNoHarm) {
  const auto exchanges = ParseHar(R"([{"request": {"url": 5, "headers": [1, {"name": ""}]},
      "response": {"status": 1e300, "headers": {}, "content": []}, "time": -1, "startedDateTime": []}])");
  ASSERT_TRUE(exchanges.has_value());
  EXPECT_EQ(exchanges->front().status, 0);
  EXPECT_EQ(exchanges->front().received_at, std::nullopt);
}

}  // namespace
}  // namespace apiquota::cli
