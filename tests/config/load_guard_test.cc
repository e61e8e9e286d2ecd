#include <fstream>
#include <iterator>
#include <string>

#include "tests/config/fixture.h"

namespace apiquota::config {
namespace {

using guard::LimitRule;
using guard::LimitSubject;
using guard::Mode;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

using LoadGuardTest = LoadConfigTest;

Config Loaded(const std::string& text, Mode flag = Mode::kOff) {
  LoadContext context = Context();
  context.guard_mode = flag;
  const Result<Config> loaded = LoadConfig(text, "f.yaml", context);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  return loaded.value_or(Config{});
}

guard::Options OfApi(const std::string& top, const std::string& of_api, Mode flag = Mode::kOff) {
  const Config config = Loaded(top + "\napis:\n  - {name: a, exporter: openai" + of_api + "}\n", flag);
  return config.apis.empty() ? guard::Options{} : config.apis[0].guard;
}

TEST_F(LoadGuardTest, WithoutAWordNothingIsGuarded) {
  EXPECT_EQ(Loaded("admin: {}").guard, guard::Options{});
  EXPECT_EQ(OfApi("", ""), guard::Options{});
  EXPECT_FALSE(OfApi("guard:", "").active());
}

TEST_F(LoadGuardTest, EveryKeyArrivesInItsOption) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const guard::Options& top = loaded->guard;
  EXPECT_EQ(top.mode, Mode::kShadow);
  EXPECT_EQ(top.pace, (guard::PaceOptions{{}, 0.05, true, 0.2}));
  EXPECT_EQ(top.queue,
            (guard::QueueOptions{{}, 50, seconds(30), "x-timeout", true, guard::QueueOptions::By::kKey}));
  EXPECT_EQ(top.retry, (guard::RetryOptions{{Mode::kOff}, 5, 0.1, 65536, 8388608, {"/v1/charges"}}));
  EXPECT_EQ(top.cooldown, (guard::CooldownOptions{{}, seconds(60)}));
  EXPECT_EQ(top.cold_concurrency, 4u);
  EXPECT_EQ(top.concurrency, (guard::ConcurrencyOptions{{}, 8, true}));
  EXPECT_EQ(top.breaker, (guard::BreakerOptions{{}, 3, 0.25, 10, seconds(5), seconds(60)}));
  EXPECT_EQ(top.cache, (guard::CacheOptions{{}, 1048576, {{"/v1/embeddings", hours(24)}}, minutes(10)}));
  EXPECT_EQ(top.exempt, std::vector<std::string>{"/v1/models"});
  EXPECT_EQ(loaded->proxy.trusted_proxies,
            (std::vector<IpNetwork>{*IpNetwork::Parse("10.0.0.7"), *IpNetwork::Parse("fd00::/8")}));
  ASSERT_NE(top.shadow, nullptr);
  EXPECT_EQ(top.shadow->mode, Mode::kShadow);
  EXPECT_EQ(top.shadow->pace, (guard::PaceOptions{{}, 0.05, true, 0.5}));
  EXPECT_EQ(loaded->callers[0].priority, 6);
  EXPECT_EQ(loaded->callers[1].priority, 3);
}

LimitRule Rule(const std::string& name, std::vector<LimitSubject> by, uint64_t limit, Micros window) {
  LimitRule rule;
  rule.name = name;
  rule.by = std::move(by);
  rule.limit = limit;
  rule.window = window;
  return rule;
}

TEST_F(LoadGuardTest, EveryKeyOfALimitArrivesInItsRule) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  using Kind = LimitSubject::Kind;
  const std::vector<guard::LimitRule>& limits = loaded->guard.limits;
  ASSERT_EQ(limits.size(), 4u);
  LimitRule chat = Rule("default", {{Kind::kAddress}}, 5, minutes(1));
  chat.match = {"/v1/chat/*", {"POST"}, {"nightly-batch"}, {{"x-tenant", "gold"}}};
  EXPECT_EQ(limits[0], chat);
  EXPECT_EQ(limits[1], Rule("default", {{Kind::kAddress}}, 10, minutes(1)))
      << "after those of its name that have a match, wherever it stands";
  LimitRule tokens = Rule("tokens", {{Kind::kCaller}, {Kind::kHeader, "x-tenant"}}, 2'000'000, hours(24));
  tokens.unit = LimitRule::Unit::kTokens;
  tokens.algorithm = LimitRule::Algorithm::kSliding;
  tokens.missing = LimitRule::Missing::kAllow;
  EXPECT_EQ(limits[2], tokens);
  LimitRule bursts = Rule("bursts", {{Kind::kKey}}, 600, minutes(1));
  bursts.mode = Mode::kShadow;
  bursts.algorithm = LimitRule::Algorithm::kGcra;
  bursts.burst = 20;
  EXPECT_EQ(limits[3], bursts);
}

TEST_F(LoadGuardTest, PathsHaveOneSpellingWhicheverRuleTheyStandIn) {
  const guard::Options options =
      OfApi(R"(guard: {mode: on, exempt: [/x/../healthz], retry: {add_idempotency_key: ["/v1/%63harges"]},
  cache: {post: [{path: /v1//embeddings, ttl: 1h}]},
  limits: [{name: one, by: address, limit: 1, window: 1m, match: {path: /group%2Fproject}}]})",
            "");
  EXPECT_EQ(options.exempt, std::vector<std::string>{"/healthz"});
  EXPECT_EQ(options.retry.add_idempotency_key, std::vector<std::string>{"/v1/charges"});
  ASSERT_TRUE(options.cache && options.cache->post.size() == 1 && options.limits.size() == 1);
  EXPECT_EQ(options.cache->post[0].path, "/v1/embeddings");
  EXPECT_EQ(options.limits[0].match.path, "/group/project");
}

TEST_F(LoadGuardTest, ListsOfAnApiReplaceTheDefaultsAsAWhole) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const guard::Options& api = loaded->apis[0].guard;
  ASSERT_EQ(api.limits.size(), 1u);
  EXPECT_EQ(api.limits[0].limit, 1u);
  EXPECT_EQ(api.exempt, std::vector<std::string>{});
  EXPECT_EQ(api.cache, (guard::CacheOptions{{}, 2097152, {}, minutes(10)})) << "but keys one by one";
  EXPECT_EQ(api.concurrency, (guard::ConcurrencyOptions{{}, 2, true}));
  EXPECT_EQ(api.ModeOf(api.breaker), Mode::kOff);
  ASSERT_NE(api.shadow, nullptr);
  ASSERT_EQ(api.shadow->limits.size(), 1u);
  EXPECT_EQ(api.shadow->limits[0].limit, 2u);
}

TEST_F(LoadGuardTest, WhatRunsOnlyWhereItIsWrittenIsNotThereOtherwise) {
  const guard::Options plain = OfApi("guard: on", "");
  EXPECT_FALSE(plain.concurrency || plain.breaker || plain.cache);
  EXPECT_FALSE(OfApi("guard: {mode: on, breaker: }", "").breaker) << "its name alone writes nothing";
  EXPECT_EQ(OfApi("guard: {mode: on, breaker: {}}", "").breaker, guard::BreakerOptions());
  const guard::Options cached = OfApi("guard: {mode: on, cache: shadow}", "");
  guard::CacheOptions by_default;
  by_default.mode = Mode::kShadow;
  EXPECT_EQ(cached.cache, by_default);
  EXPECT_EQ(cached.ModeOf(cached.cache), Mode::kShadow);
  EXPECT_EQ(OfApi("guard: {concurrency: off}", "").concurrency, (guard::ConcurrencyOptions{{Mode::kOff}}));
  EXPECT_EQ(OfApi("guard: {concurrency: {max: 5, mode: off}}", ", guard: {concurrency: on}").concurrency,
            (guard::ConcurrencyOptions{{Mode::kOn}, 5}))
      << "an api that is on with the default's number";
}

TEST_F(LoadGuardTest, AnApiRefinesTheDefaultsKeyByKey) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const guard::Options& api = loaded->apis[0].guard;
  EXPECT_EQ(api.mode, Mode::kOn);
  EXPECT_EQ(api.pace, (guard::PaceOptions{{}, 7, false, 0.2})) << "an amount in place of a share";
  EXPECT_EQ(api.queue.mode, Mode::kShadow);
  EXPECT_EQ(api.queue.max_wait, seconds(30)) << "the default's";
  EXPECT_EQ(api.ModeOf(api.retry), Mode::kOff);
  EXPECT_EQ(api.ModeOf(api.pace), Mode::kOn);
}

TEST_F(LoadGuardTest, AShadowRefinesWhatIsInForceWhereItStands) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_NE(loaded->apis[0].guard.shadow, nullptr);
  const guard::Options& shadow = *loaded->apis[0].guard.shadow;
  EXPECT_EQ(shadow.mode, Mode::kShadow);
  EXPECT_EQ(shadow.pace, (guard::PaceOptions{{}, 7, false, 0.5})) << "of the api, and of the outer shadow";
  EXPECT_EQ(shadow.queue.max_wait, seconds(5));
  EXPECT_EQ(shadow.cold_concurrency, 2u);
  EXPECT_EQ(shadow.shadow, nullptr);
}

TEST_F(LoadGuardTest, AnApiThatIsOffHasNoShadowButItsOwn) {
  constexpr char kTop[] = "guard: {mode: on, shadow: {cold_concurrency: 2}}";
  EXPECT_TRUE(OfApi(kTop, "").shadow);
  EXPECT_FALSE(OfApi(kTop, ", guard: off").active());
  EXPECT_FALSE(OfApi(kTop, ", guard: {mode: off}").active());
  EXPECT_TRUE(OfApi(kTop, ", guard: {mode: off, shadow: {}}").active());
  EXPECT_FALSE(OfApi(kTop, ", guard: {mode: off, shadow: {mode: off}}").active());
  EXPECT_EQ(OfApi(kTop, ", guard: {shadow: {mode: off}}").shadow, nullptr);
}

TEST_F(LoadGuardTest, AFlagSetsTheModeAndTheFileWins) {
  EXPECT_EQ(OfApi("", "", Mode::kOn).mode, Mode::kOn);
  EXPECT_EQ(OfApi("guard: {cold_concurrency: 1}", "", Mode::kOn).mode, Mode::kOn) << "it says no mode";
  EXPECT_EQ(OfApi("guard: shadow", "", Mode::kOn).mode, Mode::kShadow);
  EXPECT_EQ(OfApi("", ", guard: off", Mode::kOn).mode, Mode::kOff);
  EXPECT_EQ(Loaded("admin: {}", Mode::kOn).guard.mode, Mode::kOn) << "for apis that no file names";
}

TEST_F(LoadGuardTest, ModesAreWordsAndNotYamlsBooleans) {
  EXPECT_EQ(OfApi("guard: on", "").mode, Mode::kOn);
  EXPECT_EQ(OfApi("guard: \"on\"", "").mode, Mode::kOn);
  EXPECT_EQ(OfApi("guard: {mode: off}", ", guard: on").mode, Mode::kOn);
}

TEST_F(LoadGuardTest, SizesAreBytesOrSoManyOfAUnit) {
  const auto bytes = [](const std::string& size) {
    return OfApi("guard: {retry: {replay_bytes_max: " + size + "}}", "").retry.replay_bytes_max;
  };
  EXPECT_EQ(bytes("0"), 0u);
  EXPECT_EQ(bytes("1000"), 1000u);
  EXPECT_EQ(bytes("3KiB"), 3072u);
  EXPECT_EQ(bytes("16MiB"), 16777216u);
}

// What somebody copies from the guard's page runs.
TEST_F(LoadGuardTest, EveryConfigurationOfItsPageIsGood) {
  setenv("NIGHTLY_TOKEN", "nightly token", 1);
  std::ifstream file(SourceDir() + "/docs/guard.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  constexpr std::string_view kBegin = "```yaml\n", kEnd = "\n```";
  size_t blocks = 0;
  for (size_t at = page.find(kBegin); at != std::string::npos; at = page.find(kBegin, at + 1), ++blocks) {
    const std::string text = page.substr(at + kBegin.size(), page.find(kEnd, at) - at - kBegin.size()) + "\n";
    const Result<Config> loaded = LoadConfig(text, "f.yaml", Context());
    EXPECT_TRUE(loaded) << text << (loaded ? "" : loaded.error().message);
  }
  EXPECT_GE(blocks, 3u);
}

}  // namespace
}  // namespace apiquota::config
