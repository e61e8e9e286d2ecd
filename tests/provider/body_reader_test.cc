#include "provider/body_reader.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "provider/extract_signals.h"
#include "tests/http/content_codings.h"

namespace apiquota::provider {
namespace {

ExporterPtr Demo() {
  static const auto exporter = LoadExporter(R"(name: demo
title: Demo
quotas:
  - {quota: "*", unit: requests, kind: fixed, when: {path: /limits}, resource: "*",
     limit: {body: /resources/*/limit}, remaining: {body: /resources/*/remaining},
     reset: {body: /resources/*/reset, format: unix-seconds}}
  - {quota: "*", unit: requests, kind: fixed, when: {path: /admin}, resource: {body: "/data/*/models/*"},
     limit: {body: "/data/*/limits/*=type/value"}, window: from-name}
  - {quota: "*", unit: requests, kind: fixed, when: {path: /live, events: true},
     limit: {body: "/rate_limits/*=name/limit"}, remaining: {body: "/rate_limits/*=name/remaining"}}
throttle:
  - {status: 429, scope: primary}
  - {status: 429, body: {pointer: /error/code, equals: insufficient_quota}, scope: spend}
  - {status: 200, path: /graphql, body: {pointer: /errors/*/type, equals: RATE_LIMITED}, scope: primary}
  - status: 200
    stream: [{pointer: /type, equals: error}, {pointer: /error/type, equals: overloaded_error}]
    scope: overload
retry_after: [retry-after, {body: /error/message, after: "try again in ", format: duration},
              {body: /error/details/*/retryDelay, format: duration}]
usage:
  input: [/usage/prompt_tokens, /message/usage/input_tokens]
  cached_input: {pointer: /usage/prompt_tokens_details/cached_tokens, within: input}
  output:
    [/usage/completion_tokens, /message/usage/output_tokens, /usage/output_tokens, "/*/usage/output_tokens"]
  reasoning: {pointer: /usage/completion_tokens_details/reasoning_tokens, within: output}
)",
                                            "demo.yaml");
  EXPECT_TRUE(exporter.has_value()) << exporter.error().message;
  return *exporter;
}

struct Reply {
  int status = 200;
  std::string path = "/v1/chat";
  std::string type = "application/json";
  std::string coding = {};
  std::string body = {};
};

struct Found {
  bool wanted = false;
  bool failed = false;
  Signals signals;
};

// Whole and byte by byte must find the same.
Found Read(const Reply& reply) {
  Found found;
  for (const size_t piece : {std::max<size_t>(reply.body.size(), 1), size_t{1}}) {
    http::Exchange exchange;
    exchange.status = reply.status;
    exchange.path = reply.path;
    if (!reply.type.empty()) exchange.fields.Add("Content-Type", reply.type);
    if (!reply.coding.empty()) exchange.fields.Add("Content-Encoding", reply.coding);
    auto reader = BodyReader::For(*Demo(), exchange);
    if (!reader) return found;
    for (size_t at = 0; at < reply.body.size(); at += piece) {
      reader->Write(std::string_view(reply.body).substr(at, piece));
    }
    const bool failed = reader->Failed();
    reader->TakeInto(&exchange);
    Signals signals = ExtractSignals(*Demo(), exchange);
    if (found.wanted) {
      EXPECT_EQ(failed, found.failed);
      EXPECT_EQ(signals.throttle, found.signals.throttle);
      EXPECT_EQ(signals.usage, found.signals.usage);
      EXPECT_EQ(signals.readings, found.signals.readings);
    }
    found = {true, failed, std::move(signals)};
  }
  return found;
}

// Tokens in the order of TokenType.
using Tokens = TokenUsage;

constexpr char kChat[] =
    R"({"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":100,"completion_tokens":40,)"
    R"("total_tokens":140,"prompt_tokens_details":{"cached_tokens":64},)"
    R"("completion_tokens_details":{"reasoning_tokens":30}}})";

TEST(BodyReaderTest, TypesOfTokensAreDisjointAndAddUpToTheTotal) {
  EXPECT_EQ(Read({.body = kChat}).signals.usage, (Tokens{36, 64, 0, 10, 30}));
  EXPECT_EQ(Read({.body = R"({"usage":{"prompt_tokens":8}})"}).signals.usage, (Tokens{8, 0, 0, 0, 0}));
  EXPECT_EQ(Read({.body = R"({"usage":null})"}).signals.usage, std::nullopt);
  EXPECT_EQ(Read({.body = R"({"usage":{"prompt_tokens":-3,"completion_tokens":1e99}})"}).signals.usage,
            std::nullopt);
}

TEST(BodyReaderTest, EncodedBodiesAreReadAsThePlainOne) {
  const Tokens expected{36, 64, 0, 10, 30};
  EXPECT_EQ(Read({.coding = "gzip", .body = http::Gzipped(kChat)}).signals.usage, expected);
  EXPECT_EQ(Read({.coding = "br", .body = http::Brotlied(kChat)}).signals.usage, expected);
  EXPECT_EQ(Read({.coding = "zstd", .body = http::Zstandard(kChat)}).signals.usage, expected);
  EXPECT_EQ(Read({.coding = "identity", .body = kChat}).signals.usage, expected);
}

TEST(BodyReaderTest, WhatCantBeReadIsAFailureWhereTheTypePromisesJson) {
  EXPECT_TRUE(Read({.coding = "compress", .body = kChat}).failed);
  EXPECT_TRUE(Read({.coding = "gzip", .body = kChat}).failed);
  EXPECT_TRUE(Read({.body = "<html>"}).failed);
  EXPECT_TRUE(Read({.type = "", .body = "<html>"}).failed);
  EXPECT_FALSE(Read({.type = "text/html", .body = "<html>"}).failed);
  EXPECT_FALSE(Read({.type = "audio/mpeg", .body = "\xff\xfb"}).wanted);
}

TEST(BodyReaderTest, ADocumentLargerThanEightMebibytesIsGivenUp) {
  const std::string filler(BodyReader::kDocumentBytesMax, 'x');
  EXPECT_TRUE(Read({.body = "{\"a\":\"" + filler + "\"," + std::string(kChat).substr(1)}).failed);
  const std::string less(BodyReader::kDocumentBytesMax - 1000, 'x');
  EXPECT_EQ(Read({.body = "{\"a\":\"" + less + "\"," + std::string(kChat).substr(1)}).signals.usage,
            (Tokens{36, 64, 0, 10, 30}));
}

TEST(BodyReaderTest, BodyEvidenceRefinesTheVerdictOfTheStatus) {
  using enum ThrottleScope;
  using enum ThrottleSignal;
  EXPECT_EQ(Read({.status = 429, .body = R"({"error":{"code":"insufficient_quota"}})"}).signals.throttle,
            (Throttle{kSpend, kBody, ""}));
  EXPECT_EQ(Read({.status = 429, .body = R"({"error":{"code":"other"}})"}).signals.throttle,
            (Throttle{kPrimary, kStatus, ""}));
  const std::string limited = R"({"errors":[{"type":"NOT_FOUND"},{"type":"RATE_LIMITED"}]})";
  EXPECT_EQ(Read({.path = "/graphql", .body = limited}).signals.throttle, (Throttle{kPrimary, kBody, ""}));
  EXPECT_EQ(Read({.path = "/rest", .body = limited}).signals.throttle, std::nullopt);
}

TEST(BodyReaderTest, WaitsAreFoundInTextsAndInArrays) {
  const auto wait = [](const std::string& error) {
    return Read({.status = 429, .body = "{\"error\":" + error + "}"}).signals.retry_after_seconds;
  };
  EXPECT_EQ(wait(R"({"message":"Rate limit reached. Please try again in 6m0.5s. Visit us."})"), 360.5);
  EXPECT_EQ(wait(R"({"message":"Please try again in 20ms"})"), 0.02);
  EXPECT_EQ(wait(R"({"message":"Slow down"})"), std::nullopt);
  EXPECT_EQ(wait(R"({"details":[{"@type":"Help"},{"retryDelay":"26s"}]})"), 26);
}

TEST(BodyReaderTest, ManyQuotasComeFromOneBody) {
  const Found found =
      Read({.path = "/limits",
            .body = R"({"resources":{"core":{"limit":60,"remaining":59,"reset":1718236861},)"
                    R"("search":{"limit":10,"remaining":0,"reset":1718236811}},"rate":{"limit":60}})"});
  std::vector<std::string> lines;
  for (const Reading& reading : found.signals.readings) {
    lines.push_back(reading.resource + " " + std::to_string(*reading.limit) + " " +
                    std::to_string(*reading.remaining) + " " +
                    std::to_string(ToUnixSeconds(*reading.reset_at)));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"core 60.000000 59.000000 1718236861.000000",
                                             "search 10.000000 0.000000 1718236811.000000"}));
}

constexpr char kEvents[] = "text/event-stream; charset=utf-8";

TEST(BodyReaderTest, OfAStreamTheLastCountsAreTheTotal) {
  EXPECT_EQ(Read({.type = kEvents,
                  .body = "data: {\"choices\":[],\"usage\":null}\n\n"
                          "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\n"
                          "data: [DONE]\n\n"})
                .signals.usage,
            (Tokens{9, 0, 0, 4, 0}));
  const std::string cumulative =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":25,"
      "\"output_tokens\":1}}}\n\n"
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":15}}\n\n"
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":37}}\n\n";
  EXPECT_EQ(Read({.type = kEvents, .body = cumulative}).signals.usage, (Tokens{25, 0, 0, 37, 0}));
  EXPECT_EQ(Read({.type = kEvents, .coding = "gzip", .body = http::Gzipped(cumulative)}).signals.usage,
            (Tokens{25, 0, 0, 37, 0}));
  EXPECT_EQ(Read({.body = R"([{"usage":{"output_tokens":3}},{"usage":{"output_tokens":11}}])"}).signals.usage,
            (Tokens{0, 0, 0, 11, 0}));
}

TEST(BodyReaderTest, TheLastEventIsNotLostForWantOfABlankLineOrALinesEnd) {
  const std::string lines[] = {"{\"usage\":{\"prompt_tokens\":2}}", "{\"usage\":{\"prompt_tokens\":9}}"};
  for (const std::string end : {"\n\n", "\n", "\r\n", ""}) {
    const std::string events = "data: " + lines[0] + "\n\ndata: " + lines[1] + end;
    EXPECT_EQ(Read({.type = kEvents, .body = events}).signals.usage, (Tokens{9, 0, 0, 0, 0})) << end;
    EXPECT_EQ(Read({.type = kEvents, .coding = "gzip", .body = http::Gzipped(events)}).signals.usage,
              (Tokens{9, 0, 0, 0, 0}))
        << end;
    const std::string ndjson = lines[0] + "\n" + lines[1] + end;
    EXPECT_EQ(Read({.type = "application/x-ndjson", .body = ndjson}).signals.usage, (Tokens{9, 0, 0, 0, 0}));
  }
  EXPECT_EQ(
      Read({.type = kEvents, .body = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}"})
          .signals.throttle,
      (Throttle{ThrottleScope::kOverload, ThrottleSignal::kStream, ""}));
}

TEST(BodyReaderTest, ALastCountOfZeroTakesNothingBack) {
  const std::string cumulative =
      "data: {\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n"
      "data: {\"usage\":{\"prompt_tokens\":0,\"output_tokens\":15}}\n\n"
      "data: {\"usage\":{\"output_tokens\":0}}\n\n";
  EXPECT_EQ(Read({.type = kEvents, .body = cumulative}).signals.usage, (Tokens{25, 0, 0, 15, 0}));
}

TEST(BodyReaderTest, EventsWithoutTheirTypeAreKnownByTheirFirstName) {
  const std::string event = "data: {\"usage\":{\"prompt_tokens\":9}}\n\n";
  for (const std::string begin :
       {"", "event: delta\n", "id: 1\n", "retry: 5\n", ": PROCESSING\n\n", "\xef\xbb\xbf", "\n"}) {
    for (const std::string type : {"", "text/plain", "application/json", "application/octet-stream"}) {
      EXPECT_EQ(Read({.type = type, .body = begin + event}).signals.usage, (Tokens{9, 0, 0, 0, 0}))
          << begin << type;
    }
  }
  EXPECT_EQ(Read({.body = " \n" + std::string(kChat)}).signals.usage, (Tokens{36, 64, 0, 10, 30}));
}

TEST(BodyReaderTest, AByteOrderMarkHidesNoLine) {
  const std::string lines = "\xef\xbb\xbf{\"usage\":{\"prompt_tokens\":9}}\n{}";
  for (const std::string type : {"application/x-ndjson", "application/jsonlines", "application/ndjson"})
    EXPECT_EQ(Read({.type = type, .body = lines}).signals.usage, (Tokens{9, 0, 0, 0, 0})) << type;
}

TEST(BodyReaderTest, AnExponentIsANumber) {
  EXPECT_EQ(Read({.body = R"({"usage":{"prompt_tokens":1.2e3,"completion_tokens":4E+1}})"}).signals.usage,
            (Tokens{1200, 0, 0, 40, 0}));
}

TEST(BodyReaderTest, AnErrorInsideAStreamIsAThrottleByStream) {
  const Found found =
      Read({.type = kEvents,
            .body = "data: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}\n\n"
                    "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"try "
                    "again in 3s\"}}\n\n"});
  EXPECT_EQ(found.signals.throttle, (Throttle{ThrottleScope::kOverload, ThrottleSignal::kStream, ""}));
  EXPECT_EQ(found.signals.retry_after_seconds, 3);
  EXPECT_FALSE(found.failed);
  // All conditions must hold of one event.
  EXPECT_EQ(
      Read({.type = kEvents,
            .body = "data: {\"type\":\"error\"}\n\ndata: {\"error\":{\"type\":\"overloaded_error\"}}\n\n"})
          .signals.throttle,
      std::nullopt);
}

TEST(BodyReaderTest, EventsThatAreNoObjectsAreNoFailureAndBrokenOnesAre) {
  EXPECT_EQ(Read({.type = kEvents, .body = "data:    {\"usage\":{\"prompt_tokens\":1}}\n\n"}).signals.usage,
            (Tokens{1, 0, 0, 0, 0}));
  EXPECT_FALSE(Read({.type = kEvents, .body = "data: ping\n\ndata: 7\n\ndata: [DONE]\n\n"}).failed);
  const Found broken =
      Read({.type = kEvents, .body = "data: {\"a\":}\n\ndata: {\"usage\":{\"prompt_tokens\":1}}\n\n"});
  EXPECT_TRUE(broken.failed);
  EXPECT_EQ(broken.signals.usage, (Tokens{1, 0, 0, 0, 0}));
}

// "model quota limit" or "quota limit remaining"
std::vector<std::string> Lines(const Signals& signals) {
  std::vector<std::string> lines;
  for (const Reading& reading : signals.readings) {
    std::string line =
        reading.resource + " " + reading.quota + " " + FormatNumber(reading.limit.value_or(-1));
    if (reading.remaining) line += " " + FormatNumber(*reading.remaining);
    lines.push_back(line);
  }
  return lines;
}

using Texts = std::vector<std::string>;

TEST(BodyReaderTest, NamesThatStandInAnElementAreResourcesOfWhatItSays) {
  const Found found =
      Read({.path = "/admin",
            .body = R"({"data":[{"models":["a","b"],"limits":[{"type":"requests_per_minute","value":4},)"
                    R"({"type":"tokens_per_minute","value":9}]},)"
                    R"({"models":null,"limits":[{"type":"x","value":1}]},)"
                    R"({"models":["c"],"limits":[{"type":"requests_per_minute","value":5}]}]})"});
  EXPECT_EQ(Lines(found.signals),
            (Texts{"a requests_per_minute 4", "a tokens_per_minute 9", "b requests_per_minute 4",
                   "b tokens_per_minute 9", "c requests_per_minute 5"}));
  ASSERT_FALSE(found.signals.readings.empty());
  EXPECT_EQ(found.signals.readings[0].window_seconds, 60);
}

TEST(BodyReaderTest, OfAQuotaThatSeveralEventsNameTheLastCounts) {
  const std::string first =
      R"({"rate_limits":[{"name":"r","limit":9,"remaining":8},{"name":"t","limit":7}]})";
  const std::string last = R"({"rate_limits":[{"name":"r","limit":9,"remaining":6},{"name":"t","limit":5}]})";
  const std::string body = "data: " + first + "\n\ndata: {\"x\":1}\n\ndata: " + last + "\n\n";
  const Found found = Read({.path = "/live", .type = "text/event-stream", .body = body});
  EXPECT_EQ(Lines(found.signals), (Texts{" r 9 6", " t 5"}));
  for (const Reading& reading : found.signals.readings) EXPECT_TRUE(reading.source.events);
  EXPECT_TRUE(Lines(Read({.path = "/live", .body = last}).signals).empty()) << "a document is no event";
}

}  // namespace
}  // namespace apiquota::provider
