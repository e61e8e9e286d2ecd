// What a request is expected to cost before it is sent, from its body's bytes on.
#include "provider/token_charge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "provider/catalogue.h"
#include "provider/exporter_rules.h"
#include "provider/request_reader.h"
#include "tests/http/content_codings.h"

namespace apiquota::provider {
namespace {

constexpr char kCharge[] = R"(name: x
title: X
resource: {request_body: /model}
charge:
  tokens:
    counts: both
    cap: sum
    caps: [/max_tokens, /max_completion_tokens, /max_output_tokens, /generationConfig/maxOutputTokens]
    times: [/n, /generationConfig/candidateCount]
    when: start
    media: 1500
    by_quota: {"*input-tokens": {counts: input, cached: free}, output-tokens: {counts: output}}
)";

ExporterPtr Loaded(const std::string& text = kCharge) {
  const auto loaded = LoadExporter(text, "x.yaml");
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return loaded.value_or(nullptr);
}

const ChargeRule& Rule() {
  static const ExporterPtr exporter = Loaded();
  return *Info(*exporter).charge;
}

// Whole, byte by byte and in odd pieces must be measured the same.
RequestFacts Facts(const std::string& body, const std::string& type = "application/json",
                   const std::string& coding = {}) {
  static const ExporterPtr exporter = Loaded();
  std::optional<RequestFacts> facts;
  for (const size_t piece : {std::max<size_t>(body.size(), 1), size_t{1}, size_t{7}}) {
    http::Fields fields;
    if (!type.empty()) fields.Add("Content-Type", type);
    if (!coding.empty()) fields.Add("Content-Encoding", coding);
    RequestReader reader(Info(*exporter).guarded_request_pointers, fields, RequestReader::Measure::kYes);
    for (size_t at = 0; at < body.size(); at += piece) reader.Write(std::string_view(body).substr(at, piece));
    const RequestFacts found = FactsOf(Rule(), reader.TakeValues(), reader.size(), true);
    EXPECT_EQ(facts.value_or(found), found) << piece;
    facts = found;
  }
  return *facts;
}

TEST(TokenChargeTest, TheLargestCapCountsWhereverItStands) {
  EXPECT_EQ(Facts(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}],
                      "max_completion_tokens":10000})")
                .cap,
            10000)
      << "chat completions, with the old cap and the new one";
  EXPECT_EQ(Facts(R"({"model":"m","input":"hi","max_output_tokens":512,"stream":true})").cap, 512);
  EXPECT_EQ(Facts(R"({"model":"claude","max_tokens":1024,"messages":[]})").cap, 1024);
  const RequestFacts gemini =
      Facts(R"({"contents":[],"generationConfig":{"maxOutputTokens":2e3,"candidateCount":4}})");
  EXPECT_EQ(gemini.cap, 2000);
  EXPECT_EQ(gemini.times, 4);
  EXPECT_EQ(Facts(R"({"model":"e","input":["a","b"]})").cap, std::nullopt) << "embeddings";
}

TEST(TokenChargeTest, AbsurdCapsAreAsIfTheyWereNotThere) {
  for (const char* value : {"-1", "1e300", "\"many\"", "null", "true", "{}", "[4]", "\"\"", "1e99999"}) {
    const std::string body = std::string(R"({"max_tokens":)") + value + R"(,"n":)" + value + "}";
    EXPECT_EQ(Facts(body).cap, std::nullopt) << value;
    EXPECT_EQ(Facts(body).times, 1) << value;
  }
  EXPECT_EQ(Facts(R"({"max_tokens":1e300,"max_output_tokens":7})").cap, 7)
      << "one that is none hides no other";
  EXPECT_EQ(Facts(R"({"n":0})").times, 1);
  EXPECT_EQ(Facts(R"({"n":99999})").times, 1);
}

TEST(TokenChargeTest, AnImageIsNotCountedAsText) {
  const std::string image(100'000, 'A');
  const std::string url = R"({"messages":[{"content":[{"type":"text","text":"what is this?"},
      {"type":"image_url","image_url":{"url":"data:image\/png;base64,)" +
                          image + R"("}}]}],"max_tokens":5})";
  const RequestFacts facts = Facts(url);
  EXPECT_EQ(facts.size.media, 1U);
  EXPECT_EQ(facts.size.media_bytes, image.size() + 23);
  EXPECT_EQ(facts.size.text_bytes, url.size() - image.size() - 23);
  EXPECT_EQ(facts.cap, 5) << "what stands behind it is read";
  for (const std::string part :
       {R"({"type":"base64","media_type":"image/png","data":")", R"({"inline_data":{"data":")",
        R"({"type":"input_audio","input_audio":{"data":")"}) {
    EXPECT_EQ(Facts("[" + part + image + "\"}]").size.media, 1U) << part;
    EXPECT_EQ(Facts("[" + part + image).size, (BodySize{part.size() + 1, image.size(), 1}))
        << "its end has not come";
  }
  EXPECT_EQ(Facts(R"(["data:image/gif;base64,R0lG","data:image/gif;base64,R0lH"])").size.media, 2U);
}

TEST(TokenChargeTest, ALongTextIsNoImage) {
  std::string prose;
  while (prose.size() < 100'000) prose += "A prompt has blanks in it. ";
  for (const std::string& text :
       {prose, std::string("data: ") + prose, std::string("data:text,no;base64,"), std::string(8191, 'A'),
        std::string("data:image/png;base64"), std::string("\\\"data:image/png;base64,")}) {
    const std::string body = "{\"input\":\"" + text + "\"}";
    EXPECT_EQ(Facts(body).size, (BodySize{body.size(), 0, 0})) << text.substr(0, 30);
  }
}

TEST(TokenChargeTest, BodiesAreMeasuredByWhatTheyMean) {
  const std::string json = R"({"input":")" + std::string(3000, ' ') + R"(","max_tokens":9})";
  EXPECT_EQ(Facts(json, "application/json", "gzip").size.text_bytes, json.size()) << "not gzip: as it is";
  const std::string gzip = http::Gzipped(json);
  EXPECT_EQ(Facts(gzip, "application/json", "gzip").size.text_bytes, json.size());
  EXPECT_EQ(Facts(gzip, "application/json", "gzip").cap, 9);
  EXPECT_EQ(Facts(gzip, "application/json", "snappy").size.text_bytes, gzip.size()) << "as it is";
  EXPECT_EQ(Facts("{\"a\":]" + json).size.text_bytes, json.size() + 6) << "no JSON";
  EXPECT_EQ(Facts("RIFF", "audio/wav").size, (BodySize{0, 4, 1}));
  EXPECT_EQ(Facts("--b\r\n", "multipart/form-data; boundary=b").size, (BodySize{0, 5, 1}));
  EXPECT_EQ(Facts("a=b", "application/x-www-form-urlencoded").size, (BodySize{3, 0, 0}));
  EXPECT_EQ(Facts("").size, BodySize());
}

TEST(TokenChargeTest, ABodyThatIsNotMeasuredIsReadNoFurtherThanItsValues) {
  const PointerSet model({"/model"});
  RequestReader reader(model, http::Fields());
  reader.Write(R"({"model":"m","input":"data:image/png;base64,AAAA"})");
  EXPECT_TRUE(reader.Done());
  EXPECT_EQ(reader.size(), BodySize());
}

TEST(TokenChargeTest, ACodingThatBreaksBehindTheValuesIsNoFailureToReadThem) {
  std::string body = http::Gzipped(R"({"model":"m","input":"hello"})");
  body[body.size() - 6] ^= 1;  // the checksum
  http::Fields fields;
  fields.Add("Content-Encoding", "gzip");
  const PointerSet model({"/model"});
  for (const auto measure : {RequestReader::Measure::kNo, RequestReader::Measure::kYes}) {
    RequestReader reader(model, fields, measure);
    reader.Write(body);
    EXPECT_FALSE(reader.Failed());
    EXPECT_EQ(reader.TakeValues().size(), 1U);
  }
}

TEST(TokenChargeTest, WithTheGuardOffNoCapIsLookedFor) {
  const ExporterPtr exporter = Loaded();
  EXPECT_EQ(Info(*exporter).request_pointers.size(), 1U);
  EXPECT_EQ(Info(*exporter).guarded_request_pointers.size(), 7U);
}

TEST(TokenChargeTest, ACapIsChargedAsTheApiDoes) {
  RequestFacts facts{
      .size = {.text_bytes = 4000, .media_bytes = 9, .media = 2}, .ended = true, .cap = 100, .times = 3};
  ChargeRule rule = Rule();
  EXPECT_EQ(Estimate(rule, facts, 0.25, 20),
            (TokenEstimate{.input = 4000, .media = 3000, .output = 300, .capped = true}));
  EXPECT_EQ(Reserved(rule.charge, Estimate(rule, facts, 0.25, 20)), 4300);
  rule.charge.cap = CapCharge::kMax;
  EXPECT_EQ(Reserved(rule.charge, Estimate(rule, facts, 0.25, 20)), 4000);
  facts.cap = 2000;
  EXPECT_EQ(Reserved(rule.charge, Estimate(rule, facts, 0.25, 20)), 6000);
  facts.cap = std::nullopt;
  EXPECT_EQ(Reserved(rule.charge, Estimate(rule, facts, 0.25, 20)), 4060) << "what is expected comes on top";
  rule.charge.cap = CapCharge::kIgnored;
  facts.cap = 10;
  EXPECT_EQ(Estimate(rule, facts, 0.25, 20),
            (TokenEstimate{.input = 4000, .media = 3000, .output = 30, .capped = false}))
      << "an answer can't be longer than its cap";
}

TEST(TokenChargeTest, EachQuotaCountsItsOwnSide) {
  const TokenUsage usage{100, 1000, 10, 20, 5};  // input, cached, written to the cache, output, reasoning
  EXPECT_EQ(Charged(Rule(), "tokens", usage), 1135);
  EXPECT_EQ(Charged(Rule(), "input-tokens", usage), 110);
  EXPECT_EQ(Charged(Rule(), "priority-input-tokens", usage), 110);
  EXPECT_EQ(Charged(Rule(), "output-tokens", usage), 25);
  EXPECT_EQ(Charged(Rule(), "priority-output-tokens", usage), 1135) << "no star, no other name";
  const TokenEstimate estimate{.input = 30, .media = 0, .output = 7, .capped = false};
  EXPECT_EQ(Reserved(ChargeOf(Rule(), "fast-input-tokens"), estimate), 30);
  EXPECT_EQ(Reserved(ChargeOf(Rule(), "output-tokens"), estimate), 7);
  EXPECT_EQ(Reserved(ChargeOf(Rule(), "tokens"), estimate), 37);
}

struct Api {
  const char* exporter;
  const char* quota;
  const char* body;  // filled up to 400 bytes, each a quarter of a token
  double reserved;   // … where 50 tokens of output are expected
  double charged;    // of 100 input, 1,000 cached, 10 written to the cache, 20 output and 5 reasoning
};

// As each API's documentation, or what is seen of it, has it.
TEST(TokenChargeTest, EachApiIsChargedInItsOwnWay) {
  constexpr char kChat[] = R"({"model":"m","max_tokens":1,"max_completion_tokens":500,"n":2,"messages":")";
  constexpr char kMessages[] = R"({"model":"m","max_tokens":8000,"messages":")";
  constexpr char kGemini[] = R"({"generationConfig":{"maxOutputTokens":9,"candidateCount":2},"contents":")";
  constexpr char kConverse[] = R"({"inferenceConfig":{"maxTokens":700},"messages":")";
  const Api apis[] = {
      {"openai", "tokens", kChat, 1000, 1135},
      {"openai", "tokens", R"({"model":"m","max_output_tokens":30,"input":")", 100, 1135},
      {"openai", "tokens", R"({"model":"text-embedding-3-small","input":")", 150, 1135},
      {"azure-openai", "tokens", kChat, 1100, 1135},
      {"anthropic", "input-tokens", kMessages, 100, 110},
      {"anthropic", "output-tokens", kMessages, 50, 25},
      {"anthropic", "priority-input-tokens", kMessages, 100, 110},
      {"anthropic", "tokens", kMessages, 150, 135},
      {"google-gemini", "GenerateContentInputTokensPerModelPerMinute", kGemini, 100, 1110},
      {"google-vertex", "generate_content_output_tokens_per_minute", kGemini, 18, 25},
      {"aws-bedrock", "tokens", kConverse, 800, 135},
      {"groq", "tokens", kChat, 1100, 135},
      {"mistral", "tokens-minute", kMessages, 150, 1135},
      {"fireworks", "tokens-prompt", kChat, 100, 1110},
      {"fireworks", "tokens-generated", kChat, 100, 25},
      {"xai", "tokens", kChat, 200, 1135},
  };
  const auto catalogue = Catalogue::Embedded();
  for (const Api& api : apis) {
    const ExporterInfo& info = Info(*catalogue->Find(api.exporter));
    ASSERT_TRUE(info.charge) << api.exporter;
    const std::string head = api.body;
    const std::string body = head + std::string(400 - head.size() - 2, ' ') + "\"}";
    RequestReader reader(info.guarded_request_pointers, http::Fields(), RequestReader::Measure::kYes);
    reader.Write(body);
    const RequestFacts facts = FactsOf(*info.charge, reader.TakeValues(), reader.size(), true);
    const TokenEstimate estimate = Estimate(*info.charge, facts, 0.25, 50);
    EXPECT_EQ(Reserved(ChargeOf(*info.charge, api.quota), estimate), api.reserved)
        << api.exporter << " " << api.quota << " " << head;
    EXPECT_EQ(Charged(*info.charge, api.quota, {100, 1000, 10, 20, 5}), api.charged)
        << api.exporter << " " << api.quota;
  }
}

std::string ErrorOf(const std::string& rest) {
  const auto loaded = LoadExporter("name: x\ntitle: X\n" + rest, "x.yaml");
  return loaded ? "" : loaded.error().message;
}

TEST(TokenChargeTest, WhatCanNotBeMeantIsRefused) {
  const auto error = [](const std::string& rest) { return ErrorOf("charge: {tokens: {" + rest + "}}\n"); };
  EXPECT_EQ(error("counts: input"), "");
  EXPECT_EQ(error("cap: sum, when: start"),
            "x.yaml:3:18: expected \"caps\" beside \"cap\": where they stand");
  EXPECT_EQ(
      error("cap: sum, caps: /a"),
      "x.yaml:3:18: a cap is charged when a request begins: expected \"when: start\" or \"when: settled\"");
  EXPECT_EQ(error("caps: /a/*"), "x.yaml:3:25: expected one place in a request, without *");
  std::string deep, many;
  for (int i = 0; i < 17; ++i) {
    deep += "/a";
    many += (many.empty() ? "[/a" : ", /a") + std::to_string(i);
  }
  EXPECT_EQ(error("caps: " + deep), "x.yaml:3:25: a pointer of more segments than can be followed");
  EXPECT_EQ(error("times: " + many + "]"), "x.yaml:3:26: more places than any API has");
  EXPECT_EQ(error("media: -1"), "x.yaml:3:26: expected 0 to 1000000 tokens");
  EXPECT_EQ(error("by_quota: {\"*a*\": {counts: input}}"),
            "x.yaml:3:37: expected a quota's name, with at most one *");
  EXPECT_NE(error("counts: all"), "");
  EXPECT_NE(ErrorOf("charge: {}\n"), "");
}

}  // namespace
}  // namespace apiquota::provider
