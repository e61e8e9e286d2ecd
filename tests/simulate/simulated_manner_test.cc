// What a simulated API does badly on purpose, and what its calls cost in tokens.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "provider/catalogue.h"
#include "simulate/simulated_api.h"

namespace apiquota::simulate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SystemTime kNow{seconds(1'800'000'000)};

// The first reply of an API that says what it costs in tokens.
const std::string kFromOpenai =
    "{\"simulated\":\"openai\",\"request\":1,\"usage\":{\"prompt_tokens\":16,\"prompt_tokens_details\":{"
    "\"cached_tokens\":4},\"completion_tokens\":9,\"completion_tokens_details\":{\"reasoning_tokens\":2}}}\n";
class SimulatedMannerTest : public testing::Test {
 protected:
  SimulatedApi Api(const std::string& exporter, const SimulateOptions& options) {
    exporter_ = catalogue_->Find(exporter);
    return *SimulatedApi::Create(options, *exporter_);
  }

  std::string Complaint(const std::string& exporter, const SimulateOptions& options) {
    const auto api = SimulatedApi::Create(options, *catalogue_->Find(exporter));
    return api ? "none" : api.error().message;
  }

  static std::string Text(const SimulatedResponse& response) {
    std::string text = fmt::format("{}\n", response.status);
    for (size_t i = 0; i < response.fields.size(); ++i) {
      text += fmt::format("{}: {}\n", response.fields[i].name, response.fields[i].value);
    }
    return text + response.body;
  }

  Result<provider::Catalogue> catalogue_ = provider::Catalogue::Embedded();
  provider::ExporterPtr exporter_;
};

TEST_F(SimulatedMannerTest, AWrongClockShowsInPointsOfTimeAndNotInSpans) {
  const Manner manner{.skew = seconds(-5)};
  SimulatedApi github = Api("github", {.limit = 1, .manner = manner});
  EXPECT_EQ(github.Answer({}, kNow).fields.Find("x-ratelimit-reset"), "1800003595");
  EXPECT_EQ(github.Answer({}, kNow).fields.Find("retry-after"), "3600");
  SimulatedApi openai = Api("openai", {.quotas = {"requests=60"}, .manner = manner});
  EXPECT_EQ(openai.Answer({}, kNow).fields.Find("x-ratelimit-reset-requests"), "1s");
}

TEST_F(SimulatedMannerTest, AlignedWindowsEndByTheClockThatIsWrong) {
  SimulatedApi api =
      Api("github",
          {.limit = 1, .window = seconds(60), .kind = LimitKind::kAligned, .manner = {.skew = seconds(5)}});
  // kNow begins a minute, and their next one begins 55 seconds later.
  EXPECT_EQ(api.Answer({}, kNow).fields.Find("x-ratelimit-reset"), "1800000060");
  EXPECT_EQ(api.Answer({}, kNow + seconds(54)).fields.Find("retry-after"), "1");
  EXPECT_EQ(api.Answer({}, kNow + seconds(55)).status, 200);
}

TEST_F(SimulatedMannerTest, NumbersAreRoundedAsItWasAskedFor) {
  const auto reset = [&](ResetRounding rounding, milliseconds at) {
    SimulatedApi api = Api("github", {.window = seconds(60), .manner = {.resets = rounding}});
    const SimulatedResponse response = api.Answer({}, kNow + at);
    return std::string(*response.fields.Find("x-ratelimit-reset"));
  };
  EXPECT_EQ(reset(ResetRounding::kUp, milliseconds(100)), "1800000061");
  EXPECT_EQ(reset(ResetRounding::kDown, milliseconds(900)), "1800000060");
  EXPECT_EQ(reset(ResetRounding::kNearest, milliseconds(499)), "1800000060");
  EXPECT_EQ(reset(ResetRounding::kNearest, milliseconds(500)), "1800000061");
  SimulatedApi spans =
      Api("openai", {.quotas = {"requests=100"}, .manner = {.resets = ResetRounding::kDown}});
  EXPECT_EQ(spans.Answer({}, kNow).fields.Find("x-ratelimit-reset-requests"), "0s");  // 600ms
  SimulatedApi steps = Api("openai", {.quotas = {"requests=100"}, .manner = {.remaining_step = 20}});
  EXPECT_EQ(steps.Answer({}, kNow).fields.Find("x-ratelimit-remaining-requests"), "100");
  for (int i = 0; i < 9; ++i) steps.Answer({}, kNow);
  EXPECT_EQ(steps.Answer({}, kNow).fields.Find("x-ratelimit-remaining-requests"), "80");
}

TEST_F(SimulatedMannerTest, WithoutHeadersNothingIsSaidOfLimitsOrOfWaiting) {
  SimulatedApi api = Api("openai", {.quotas = {"requests=1"}, .manner = {.headerless = true}});
  EXPECT_EQ(Text(api.Answer({}, kNow)), "200\n" + kFromOpenai);
  EXPECT_EQ(Text(api.Answer({}, kNow)),
            "429\n"
            "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Rate limit reached; see the "
            "headers.\"}}\n");
}

TEST_F(SimulatedMannerTest, AnotherRetryAfterThanTheTruthIsSaidWhereItWasAskedFor) {
  SimulatedApi api = Api("github", {.limit = 1, .retry_after = std::chrono::hours(8760)});
  api.Answer({}, kNow);
  EXPECT_EQ(api.Answer({}, kNow).fields.Find("retry-after"), "31536000");
}

TEST_F(SimulatedMannerTest, FailuresComeEvenlyAndTakeNothing) {
  SimulatedApi api = Api("github", {.failures = {"503:25%"}, .bare_429 = 0.5});
  std::vector<int> statuses;
  for (int i = 0; i < 8; ++i) statuses.push_back(api.Answer({}, kNow).status);
  EXPECT_EQ(statuses, (std::vector<int>{200, 429, 200, 503, 429, 429, 200, 503}));
  EXPECT_EQ(Text(api.Answer({}, kNow)), "429\n{\"error\":{\"message\":\"Too many requests.\"}}\n");
  EXPECT_EQ(api.stats.throttled, 0);
  EXPECT_EQ(api.Spoken({}, 200, kNow).front().remaining, 57);
  EXPECT_NE(api.TruthJson(kNow).find("\"failed\":2,\"bare_429s\":4,"), std::string::npos);
}

TEST_F(SimulatedMannerTest, WhatIsNoFailureIsRefused) {
  for (const char* text : {"503", "503:", "503:20", "503:0%", "503:101%", "200:20%", "x:20%", "600:5%"}) {
    EXPECT_EQ(Complaint("github", {.failures = {text}}),
              "--fail: a status from 400 to 599 and a share are expected, such as 503:20%");
  }
}

TEST_F(SimulatedMannerTest, TokensAreWhatTheRequestSaysAndTheUsageSaysTheSame) {
  SimulatedApi api = Api("openai", {.quotas = {"tokens=1000"}, .tokens_charged = Charge::kSettled});
  const TokenCount tokens{.input = 100, .output_asked = 500, .output = 80};
  const SimulatedResponse response = api.Answer({.tokens = tokens}, kNow);
  EXPECT_EQ(response.fields.Find("x-ratelimit-remaining-tokens"),
            "500");  // OpenAI charges the larger of both
  EXPECT_EQ(response.body,
            "{\"simulated\":\"openai\",\"request\":1,\"usage\":{\"prompt_tokens\":100,"
            "\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens\":80,"
            "\"completion_tokens_details\":{\"reasoning_tokens\":0}}}\n");
  api.End(response, 1, kNow);
  EXPECT_EQ(api.Spoken({}, 200, kNow).front().remaining, 820);
}

TEST_F(SimulatedMannerTest, TokensAreChargedAsTheFileSaysTheApiDoes) {
  const auto exporter = provider::LoadExporter(
      "name: x\ntitle: X\ncharge: {tokens: {counts: both, cap: max, caps: /max_tokens, when: settled}}\n"
      "quotas:\n  - {quota: tokens, unit: tokens, kind: fixed, limit: {header: x-limit}, "
      "remaining: {header: x-remaining}}\n",
      "x.yaml");
  ASSERT_TRUE(exporter.has_value()) << exporter.error().message;
  auto api = SimulatedApi::Create({.limit = 1000, .tokens_charged = Charge::kSettled}, **exporter);
  const TokenCount tokens{.input = 100, .output_asked = 500, .output = 80};
  const SimulatedResponse response = api->Answer({.tokens = tokens}, kNow);
  EXPECT_EQ(response.fields.Find("x-remaining"), "500");
  api->End(response, 1, kNow);
  EXPECT_EQ(api->Spoken({}, 200, kNow).front().remaining, 820);
}

TEST_F(SimulatedMannerTest, AStreamThatWasLeftHalfWayCostsHalfItsOutput) {
  SimulatedApi api = Api(
      "anthropic", {.quotas = {"input-tokens=1000", "output-tokens=1000"}, .tokens_charged = Charge::kEnd});
  const TokenCount tokens{.input = 100, .output_asked = 500, .output = 80};
  const SimulatedResponse response = api.Answer({.stream = true, .tokens = tokens}, kNow);
  api.End(response, 0.5, kNow);
  EXPECT_EQ(api.Spoken({}, 200, kNow)[0].remaining, 900);
  EXPECT_EQ(api.Spoken({}, 200, kNow)[1].remaining, 960);
}

}  // namespace
}  // namespace apiquota::simulate
