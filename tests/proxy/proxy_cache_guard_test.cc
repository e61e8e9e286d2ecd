// The cache before the rest of the guard: what a hit takes, what a leader holds, what stands in for a
// refusal.
#include <atomic>
#include <string>
#include <vector>

#include "tests/proxy/coalesce_kit.h"

namespace apiquota::proxy {
namespace {

using ProxyCacheGuardTest = ProxyCoalesceTest;

const std::string kStale = Reply("200 OK", "Cache-Control: max-age=0\r\nETag: \"x\"\r\n", "[1]");

guard::CacheOptions StaleForAnHour() {
  guard::CacheOptions cache;
  cache.stale_if_error = std::chrono::hours(1);
  return cache;
}

guard::Options OnePerMinute() {
  guard::Options options;
  guard::LimitRule rule;
  rule.name = "one";
  rule.by = {{.kind = guard::LimitSubject::Kind::kAddress, .header = {}}};
  rule.limit = 1;
  rule.window = std::chrono::minutes(1);
  options.limits = {rule};
  options.pace.mode = options.queue.mode = options.retry.mode = options.cooldown.mode = guard::Mode::kOff;
  return options;
}

TEST_F(ProxyCacheGuardTest, AHitTakesNothingOfALimit) {
  FakeUpstream upstream(Says({Reply("200 OK", kFields, "[1]")}));
  StartCached(upstream, {}, OnePerMinute());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(StatusOf(Ask(Get("/v1/other"))), "HTTP/1.1 429 Too Many Requests");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCacheGuardTest, WhoWouldBeRefusedGetsWhatIsKept) {
  FakeUpstream upstream(Says({kStale}));
  StartCached(upstream, StaleForAnHour(), OnePerMinute());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), 1U);
  ExpectResults({{"demo miss", 1}, {"demo stale", 2}});
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyCacheGuardTest, WhoFollowsIsHeldToItsOwnLimitsOnceTheLeaderIsRefused) {
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: no-store\r\n")}));
  StartCached(upstream, {}, OnePerMinute());
  EXPECT_EQ(StatusOf(Ask(Get("/v1/models"))), "HTTP/1.1 200 OK");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(StatusOf(Ask(Get("/v1/other"))), "HTTP/1.1 429 Too Many Requests");
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(Quiet().groups, 0U);
}

TEST_F(ProxyCacheGuardTest, AnOpenBreakerIsAnsweredWithWhatIsKept) {
  guard::Options options = JustCache();
  options.breaker = guard::BreakerOptions{};
  FakeUpstream upstream(Says({kStale, ""}));
  StartCached(upstream, StaleForAnHour(), options);
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  for (int i = 0; i < 6; ++i) Ask(Get("/v1/other"));
  EXPECT_EQ(StatusOf(Ask(Get("/v1/other"))), "HTTP/1.1 503 Service Unavailable");
  const size_t before = asked();
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), before);
}

TEST_F(ProxyCacheGuardTest, WhatAFurtherAttemptBroughtIsKept) {
  FakeUpstream upstream(
      Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), Reply("200 OK", kFields, "[1]")}));
  StartCached(upstream, {}, {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyCacheGuardTest, AThrottleThatStaysIsSharedAmongThoseWhoWait) {
  guard::Options options;
  options.retry.attempts = 1;
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("429 Too Many Requests", "Retry-After: 100\r\n", "no")));
  StartCached(upstream, {}, options);
  std::vector<Peer> crowd = Crowd(5, Get("/v1/models"));
  EXPECT_TRUE(Follow(4));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(StatusOf(peer.ReadAll()), "HTTP/1.1 429 Too Many Requests");
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(Held(), 0U);
}

// The leader waits for its turn, and goes; those who wait for it get what its turn brings.
TEST_F(ProxyCacheGuardTest, ALeaderThatGoesWhileItWaitsForItsTurnKeepsItForTheOthers) {
  guard::Options options;
  options.concurrency = guard::ConcurrencyOptions{};
  options.concurrency->max = 1;
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream, {}, options);
  Peer first = Connect();
  first.Send(Get("/v1/first"));
  EXPECT_TRUE(Asked(1));
  std::vector<Peer> crowd = Crowd(5, Get("/v1/models"));
  EXPECT_TRUE(Follow(4));
  Peer lonely = Connect();
  lonely.Send(Get("/v1/lonely"));
  lonely.ShutdownSend();
  lonely.Reset();
  crowd.front().Reset();
  gate.Open();
  EXPECT_EQ(BodyOf(first.ReadAll()), "[1]");
  for (size_t i = 1; i < crowd.size(); ++i) EXPECT_EQ(BodyOf(crowd[i].ReadAll()), "[1]");
  EXPECT_LE(asked(), 3U);
  EXPECT_EQ(Held(), 0U);
  EXPECT_EQ(Quiet().groups, 0U);
}

TEST_F(ProxyCacheGuardTest, NothingIsHeldAfterClientsThatLeaveAtAnyMoment) {
  guard::Options options;
  options.concurrency = guard::ConcurrencyOptions{};
  options.concurrency->max = 2;
  options_.loops = 2;
  FakeUpstream upstream(Says({Reply("200 OK", kFields, std::string(300, 'x'))}));
  StartCached(upstream, {}, options);
  for (size_t round = 0; round < 60; ++round) {
    const std::string request = Get("/v1/models?n=" + std::to_string(round / 3));
    std::vector<Peer> crowd = Crowd(4, request);
    for (size_t i = 0; i < crowd.size(); ++i) {
      if (i > 0) crowd[i].Read(round * 7 % (60 * i));
      crowd[i].Reset();
    }
  }
  EXPECT_EQ(Quiet().groups, 0U);
  EXPECT_EQ(Held(), 0U);
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models?n=1"))).size(), 300U);
}

TEST_F(ProxyCacheGuardTest, AConfirmationIsSavedQuotaWhereTheApiDoesNotChargeIt) {
  FakeUpstream upstream(Says({kStale, "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"}));
  apis::ApiOptions api = Demo(upstream);
  api.exporter = "github";
  api.guard = JustCache();
  api.guard.mode = guard::Mode::kOn;
  api.guard.cache.emplace();
  StartWith({api});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  ExpectResults({{"demo miss", 1}, {"demo revalidated", 3}});
  EXPECT_EQ(Counts("apiquota_quota_saved_total"), (CountMap{{"demo requests", 3}}));
}

TEST_F(ProxyCacheGuardTest, TokensThatWereNotSpentAreCounted) {
  const std::string usage =
      R"({"model":"gpt-5","usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120}})";
  FakeUpstream upstream(Says({Reply("200 OK", "Content-Type: application/json\r\n", usage)}));
  StartCached(upstream, Posts("/v1/chat/completions"), {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(BodyOf(Ask(Post("", kChat))), usage);
  ExpectResults({{"demo hit", 2}, {"demo miss", 1}});
  EXPECT_EQ(Counts("apiquota_quota_saved_total"), (CountMap{{"demo requests", 2}, {"demo tokens", 240}}));
}

}  // namespace
}  // namespace apiquota::proxy
