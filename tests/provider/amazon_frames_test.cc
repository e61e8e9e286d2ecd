#include "provider/amazon_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "provider/body_reader.h"
#include "provider/extract_signals.h"

namespace apiquota::provider {
namespace {

std::string Big(size_t number, size_t bytes) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

std::string Header(const std::string& name, const std::string& value) {
  return Big(name.size(), 1) + name + Big(7, 1) + Big(value.size(), 2) + value;
}

// Checksums are zeros: they are not looked at.
std::string Frame(const std::string& headers, const std::string& payload) {
  return Big(16 + headers.size() + payload.size(), 4) + Big(headers.size(), 4) + Big(0, 4) + headers +
         payload + Big(0, 4);
}

std::string Event(const std::string& name, const std::string& payload) {
  return Frame(Header(":message-type", "event") + Header(":event-type", name) + Big(4, 1) + "when" +
                   Big(8, 1) + Big(0, 8),
               payload);
}

std::string Exception(const std::string& name, const std::string& payload) {
  return Frame(Header(":exception-type", name) + Header(":message-type", "exception"), payload);
}

struct Kept final : EventStreamHandler {
  void OnData(std::string_view piece) override { open += piece; }
  void OnEventEnd() override {
    events.push_back(open);
    open.clear();
  }
  std::string open;
  std::vector<std::string> events;
};

std::vector<std::string> Events(const std::string& stream) {
  Kept whole;
  AmazonFrames().Write(stream, whole);
  Kept pieces;
  AmazonFrames frames;
  for (const char byte : stream) frames.Write({&byte, 1}, pieces);
  EXPECT_EQ(whole.events, pieces.events) << "byte by byte says the same";
  return whole.events;
}

using Texts = std::vector<std::string>;

TEST(AmazonFramesTest, EachPayloadStandsBelowItsName) {
  EXPECT_EQ(
      Events(Event("messageStart", R"({"role":"assistant"})") + Exception("throttlingException", R"({})")),
      (Texts{R"({"messageStart":{"role":"assistant"}})", R"({"throttlingException":{}})"}));
}

TEST(AmazonFramesTest, FramesWithoutANameOrAPayloadArePassedOver) {
  const std::string good = Event("a", "{}");
  const std::string long_headers = Header("x", std::string(AmazonFrames::kHeaderBytesMax, 'y'));
  EXPECT_EQ(Events(Frame("", "{}") + Frame("", "") + Event("b", "") + Event("no\"name", "{}") +
                   Frame(long_headers + Header(":event-type", "c"), "{}") + Frame("\x09short", "{}") + good),
            (Texts{R"({"a":{}})"}));
}

TEST(AmazonFramesTest, LengthsThatCantBeEndTheReading) {
  const std::string good = Event("a", "{}");
  EXPECT_EQ(Events(good + Big(8, 4) + Big(0, 8) + good).size(), 1U);
  EXPECT_EQ(Events(good + Big(64, 4) + Big(49, 4) + Big(0, 4) + good).size(), 1U);
  EXPECT_EQ(Events(good + Big(0xffffffff, 4) + Big(0, 8) + good).size(), 1U);
  EXPECT_EQ(Events(good + good.substr(0, 20)).size(), 1U);
}

class AmazonStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = LoadExporter(R"(name: demo
title: Demo
throttle: [{status: 200, stream: {pointer: /throttlingException/message}, scope: primary}]
usage: {output: /metadata/usage/outputTokens}
)",
                               "demo.yaml");
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    exporter_ = *loaded;
    exchange_.status = 200;
    exchange_.fields.Add("Content-Type", "application/vnd.amazon.eventstream");
    reader_ = BodyReader::For(*exporter_, exchange_);
    ASSERT_TRUE(reader_.has_value());
  }

  ExporterPtr exporter_;
  http::Exchange exchange_;
  std::optional<BodyReader> reader_;
};

TEST_F(AmazonStreamTest, RefusalsAndTokensInAStreamAreRead) {
  reader_->Write(Event("metadata", R"({"usage":{"outputTokens":7}})") +
                 Exception("throttlingException", R"({"message":"slow down"})"));
  EXPECT_FALSE(reader_->Failed());
  reader_->TakeInto(&exchange_);
  const Signals signals = ExtractSignals(*exporter_, exchange_);
  EXPECT_EQ(signals.throttle, (Throttle{ThrottleScope::kPrimary, ThrottleSignal::kStream, ""}));
  ASSERT_TRUE(signals.usage.has_value());
  EXPECT_EQ((*signals.usage)[static_cast<size_t>(TokenType::kOutput)], 7U);
}

TEST_F(AmazonStreamTest, WhatIsNoFrameIsAFailure) {
  reader_->Write(Event("metadata", R"({"usage":{"outputTokens":7}})"));
  EXPECT_FALSE(reader_->Failed());
  reader_->Write("data: {}\n\ndata: {}\n\n");
  EXPECT_TRUE(reader_->Failed());
  reader_->TakeInto(&exchange_);
  EXPECT_TRUE(ExtractSignals(*exporter_, exchange_).usage.has_value()) << "what came before is read";
}

}  // namespace
}  // namespace apiquota::provider
