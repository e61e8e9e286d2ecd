// The dialects, whole: what the simulated API says must be what ExtractSignals understands.
#include "simulate/simulated_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "provider/catalogue.h"

namespace apiquota::simulate {
namespace {

using std::chrono::seconds;

constexpr SystemTime kNow{seconds(1'800'000'000)};

// First replies of APIs that say what they cost in tokens.
const std::string kFromOpenai =
    "{\"simulated\":\"openai\",\"request\":1,\"usage\":{\"prompt_tokens\":16,\"prompt_tokens_details\":{"
    "\"cached_tokens\":4},\"completion_tokens\":9,\"completion_tokens_details\":{\"reasoning_tokens\":2}}}\n";
const std::string kFromAnthropic =
    "{\"simulated\":\"anthropic\",\"request\":1,\"usage\":{\"input_tokens\":12,\"cache_read_input_tokens\":4,"
    "\"cache_creation_input_tokens\":3,\"output_tokens\":7}}\n";

class SimulatedApiTest : public testing::Test {
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

TEST_F(SimulatedApiTest, OpenaiTellsBucketsWithDurations) {
  SimulatedApi api = Api("openai", {.limit = 60, .cost = 10});
  EXPECT_EQ(Text(api.Answer({.path = "/v1/chat/completions"}, kNow)),
            "200\n"
            "x-ratelimit-limit-requests: 60\n"
            "x-ratelimit-remaining-requests: 59\n"
            "x-ratelimit-reset-requests: 1s\n"
            "x-ratelimit-limit-tokens: 60\n"
            "x-ratelimit-remaining-tokens: 50\n"
            "x-ratelimit-reset-tokens: 10s\n" +
                kFromOpenai);
}

TEST_F(SimulatedApiTest, AnthropicTellsMomentsAsRfc3339) {
  SimulatedApi api = Api("anthropic", {.quotas = {"requests=50"}});
  EXPECT_EQ(Text(api.Answer({.path = "/v1/messages"}, kNow)),
            "200\n"
            "anthropic-ratelimit-requests-limit: 50\n"
            "anthropic-ratelimit-requests-remaining: 49\n"
            "anthropic-ratelimit-requests-reset: 2027-01-15T08:00:02Z\n" +
                kFromAnthropic);
}

TEST_F(SimulatedApiTest, GithubRefusesInItsOwnWordsAndTellsTheTruthAboutWaiting) {
  SimulatedApi api = Api("github", {.limit = 1, .window = seconds(3600), .resource = "core"});
  EXPECT_EQ(Text(api.Answer({.path = "/user"}, kNow)),
            "200\n"
            "x-ratelimit-limit: 1\n"
            "x-ratelimit-remaining: 0\n"
            "x-ratelimit-used: 1\n"
            "x-ratelimit-reset: 1800003600\n"
            "x-ratelimit-resource: core\n"
            "{\"simulated\":\"github\",\"request\":1}\n");
  EXPECT_EQ(Text(api.Answer({.path = "/user"}, kNow + seconds(600))),
            "403\n"
            "x-ratelimit-limit: 1\n"
            "x-ratelimit-remaining: 0\n"
            "x-ratelimit-used: 1\n"
            "x-ratelimit-reset: 1800003600\n"
            "x-ratelimit-resource: core\n"
            "retry-after: 3000\n"
            "{\"message\":\"API rate limit exceeded\"}\n");
  EXPECT_EQ(api.Answer({.path = "/user"}, kNow + seconds(3600)).status, 200);
}

TEST_F(SimulatedApiTest, AQuotaOfAFamilyFillsTheStarOfItsHeaders) {
  SimulatedApi images = Api("openai", {.quotas = {"input-images=5"}, .cost = 2});
  EXPECT_EQ(Text(images.Answer({}, kNow)),
            "200\n"
            "x-ratelimit-limit-input-images: 5\n"
            "x-ratelimit-remaining-input-images: 3\n"
            "x-ratelimit-reset-input-images: 24s\n" +
                kFromOpenai);
}

TEST_F(SimulatedApiTest, AShareOfOneIsToldAsAShare) {
  SimulatedApi unified =
      Api("anthropic", {.quotas = {"unified-5h=40"}, .window = seconds(18'000), .cost = 10});
  EXPECT_EQ(Text(unified.Answer({}, kNow)),
            "200\n"
            "anthropic-ratelimit-unified-5h-utilization: 0.25\n"
            "anthropic-ratelimit-unified-5h-reset: 1800018000\n" +
                kFromAnthropic);
}

TEST_F(SimulatedApiTest, AThrottledRequestCostsNothingInAnyQuota) {
  SimulatedApi api = Api("openai", {.quotas = {"requests=100", "tokens=15"}, .cost = 10});
  api.Answer({}, kNow);
  const SimulatedResponse refused = api.Answer({}, kNow);
  EXPECT_EQ(Text(refused),
            "429\n"
            "x-ratelimit-limit-requests: 100\n"
            "x-ratelimit-remaining-requests: 99\n"
            "x-ratelimit-reset-requests: 600ms\n"
            "x-ratelimit-limit-tokens: 15\n"
            "x-ratelimit-remaining-tokens: 5\n"
            "x-ratelimit-reset-tokens: 40s\n"
            "retry-after-ms: 20000\n"
            "retry-after: 20\n"
            "{\"error\":{\"message\":\"(RPM): Limit 100, Used 1. (TPM): Limit 15, Used 10. try again in "
            "20s\"}}\n");
  EXPECT_EQ(api.Answer({}, kNow + seconds(21)).status, 200);
}

TEST_F(SimulatedApiTest, OtherPathsAreNotFoundAndFree) {
  SimulatedApi api = Api("github", {.limit = 5, .path = "/repos"});
  EXPECT_EQ(Text(api.Answer({.path = "/user"}, kNow)), "404\n{\"error\":{\"message\":\"Not found.\"}}\n");
  EXPECT_EQ(api.Answer({.path = "/repos/a/b"}, kNow).fields.Find("x-ratelimit-remaining"), "4");
  EXPECT_EQ(api.StatsJson(kNow),
            "{\"requests\":2,\"throttled\":0,\"not_found\":1,\"completed\":0,\"cancelled\":0,\"streams\":0,"
            "\"active\":0,\"quotas\":[{\"quota\":\"requests\",\"limit\":5.0,\"remaining\":4.0,"
            "\"reset_at\":1800003600.0}]}\n");
}

TEST_F(SimulatedApiTest, EventsAreForThoseWhoAskAndNeverForTheRefused) {
  SimulatedApi api = Api("openai", {.limit = 2});
  EXPECT_FALSE(api.Answer({}, kNow).event_stream);
  EXPECT_TRUE(api.Answer({.stream = true}, kNow).event_stream);
  EXPECT_FALSE(api.Answer({.stream = true}, kNow).event_stream);
  EXPECT_EQ(api.stats.streams, 1);
  EXPECT_EQ(api.stats.throttled, 1);
}

TEST_F(SimulatedApiTest, WindowsAreTheOptionsElseTheFilesElseAMinute) {
  const auto window = [&](const std::string& exporter, const SimulateOptions& options) {
    return Api(exporter, options).Spoken({}, 200, kNow).front().window;
  };
  EXPECT_EQ(window("github", {.quotas = {"requests/90s"}, .window = seconds(5)}), seconds(90));
  EXPECT_EQ(window("github", {.quotas = {"requests=7"}, .window = seconds(5)}), seconds(5));
  EXPECT_EQ(window("github", {}), seconds(3600));
  EXPECT_EQ(window("github", {.resource = "search"}), seconds(60));
  EXPECT_EQ(window("anthropic", {.quotas = {"unified-7d"}}), seconds(604'800));
  EXPECT_EQ(window("generic", {}), seconds(60));
}

TEST_F(SimulatedApiTest, TheIetfFieldsAreSpokenOnRequest) {
  SimulatedApi api = Api("generic", {.limit = 1, .ietf = true});
  EXPECT_EQ(Text(api.Answer({}, kNow)),
            "200\n"
            "ratelimit-policy: \"requests\";q=1;w=60\n"
            "ratelimit: \"requests\";r=0;t=60\n"
            "{\"simulated\":\"generic\",\"request\":1}\n");
}

TEST_F(SimulatedApiTest, RefusalsAreInTheScopeThatWasAskedFor) {
  SimulatedApi spend = Api("openai", {.quotas = {"requests=1"}, .throttle = "spend"});
  spend.Answer({}, kNow);
  EXPECT_EQ(spend.Answer({}, kNow).body,
            "{\"error\":{\"message\":\"(RPM): Limit 1, Used 1. try again in "
            "1m\",\"type\":\"insufficient_quota\"}}\n");
  SimulatedApi overload = Api("anthropic", {.quotas = {"requests=1"}, .throttle = "overload"});
  overload.Answer({}, kNow);
  EXPECT_EQ(overload.Answer({}, kNow).status, 529);
}

TEST_F(SimulatedApiTest, AnApiThatNamesItsQuotasItselfGetsANameThatTellsTheirWindow) {
  const auto exporter = provider::LoadExporter(
      "name: x\ntitle: X\nquotas:\n  - {quota: \"*\", unit: requests, kind: fixed, limit: {header: "
      "x-*-limit}, "
      "remaining: {header: x-*-remaining}, window: from-name}\n",
      "x.yaml");
  auto api = SimulatedApi::Create({}, **exporter);
  EXPECT_EQ(Text(api->Answer({}, kNow)),
            "200\nx-minute-limit: 60\nx-minute-remaining: 59\n{\"simulated\":\"x\",\"request\":1}\n");
}

TEST_F(SimulatedApiTest, WhatIsEnforcedMayBeOfAnotherKindThanWhatIsSaid) {
  SimulatedApi named = Api("openai", {.quotas = {"requests=2/10s,sliding"}, .kind = LimitKind::kFixed});
  EXPECT_EQ(named.Answer({}, kNow).status, 200);
  EXPECT_EQ(named.Answer({}, kNow + seconds(9)).status, 200);
  EXPECT_EQ(named.Answer({}, kNow + seconds(10)).status, 200);
  EXPECT_EQ(named.Answer({}, kNow + seconds(18)).status, 429);
  SimulatedApi all = Api("github", {.limit = 1, .window = seconds(60), .kind = LimitKind::kAligned});
  EXPECT_EQ(all.Answer({}, kNow + seconds(59)).status, 200);  // kNow begins a minute
  EXPECT_EQ(all.Answer({}, kNow + seconds(60)).status, 200);
}

TEST_F(SimulatedApiTest, ASubLimitIsEnforcedAndNeverSaid) {
  SimulatedApi api = Api("github", {.limit = 60, .window = seconds(60), .sub_limit = seconds(1)});
  EXPECT_EQ(api.Answer({}, kNow).fields.Find("x-ratelimit-remaining"), "59");
  const SimulatedResponse refused = api.Answer({}, kNow);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.fields.Find("x-ratelimit-remaining"), "59");
  EXPECT_EQ(refused.fields.Find("retry-after"), "1");
}

TEST_F(SimulatedApiTest, SlotsAreRefusedInTheWordsForSlots) {
  SimulatedApi api = Api("sentry", {.quotas = {"concurrency=1"}});
  const SimulatedResponse first = api.Answer({}, kNow);
  const SimulatedResponse refused = api.Answer({}, kNow + seconds(100));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.fields.Find("x-sentry-rate-limit-concurrentremaining"), "0");
  api.End(first, 1, kNow + seconds(100));
  EXPECT_EQ(api.Answer({}, kNow + seconds(100)).status, 200);
}

TEST_F(SimulatedApiTest, KeysAreToldOfTheirOwnQuotas) {
  SimulatedApi api = Api("github", {.limit = 5, .scope = LimitScope::kKey});
  api.Answer({.key = "a"}, kNow);
  EXPECT_EQ(api.Answer({.key = "b"}, kNow).fields.Find("x-ratelimit-remaining"), "4");
  EXPECT_EQ(api.Answer({.key = "a"}, kNow).fields.Find("x-ratelimit-remaining"), "3");
}

TEST_F(SimulatedApiTest, WhatAnApiCanNotSayIsRefused) {
  EXPECT_EQ(Complaint("github", {.quotas = {"tokens"}}), "--quota: github says no quota of this name");
  EXPECT_EQ(Complaint("github", {.quotas = {"requests=0"}}),
            "--quota: a limit above 0 is expected after the =");
  EXPECT_EQ(
      Complaint("github", {.quotas = {"requests=5,fast"}}),
      "--quota: one of fixed, aligned, sliding, elastic, bucket, concurrency is expected after the comma");
  EXPECT_EQ(Complaint("github", {.quotas = {"requests=5/soon"}}),
            "--quota: a duration such as 60s is expected after the /");
  EXPECT_EQ(Complaint("github", {.quotas = {"requests"}, .ietf = true}),
            "--quota: github says no quota of this name");
  EXPECT_EQ(Complaint("github", {.throttle = "spend"}), "--throttle: github never refuses so");
}

}  // namespace
}  // namespace apiquota::simulate
