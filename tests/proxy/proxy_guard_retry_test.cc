// What is sent again, and what is not.
#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {
namespace {

using ProxyGuardRetryTest = ProxyGuardTest;

TEST_F(ProxyGuardRetryTest, AThrottleIsWaitedOutAndTheClientIsToldForHowLong) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  const std::string answer = Ask(kGetOnce);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("apiquota-delay: 1"), std::string::npos) << answer;
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(Held(), 0U);
  EXPECT_EQ(Counts("apiquota_retries_total"), (CountMap{{"demo throttle retried", 1}}));
  EXPECT_EQ(Counts("apiquota_throttles_total"), (CountMap{{"demo anonymous   primary status", 1}}));
}

TEST_F(ProxyGuardRetryTest, ABodyIsReplayedAsItCame) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  const std::string body = R"({"model":"gpt-5","input":")" + std::string(200'000, 'x') + "\"}";
  EXPECT_TRUE(Ask(Post("", body)).starts_with("HTTP/1.1 200 OK\r\n"));
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[0], requests()[1]);
  EXPECT_TRUE(requests()[1].ends_with(body));
}

TEST_F(ProxyGuardRetryTest, ABodyTooLargeToKeepIsSentOnce) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  guard::Options options;
  options.retry.replay_bytes_max = 40'000;
  StartGuarded(upstream, options);
  const std::string body = R"({"model":"gpt-5","input":")" + std::string(200'000, 'x') + "\"}";
  const std::string answer = Ask(Post("", body));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n")) << answer;
  EXPECT_EQ(answer.find("x-should-retry"), std::string::npos) << "nobody has retried";
  EXPECT_EQ(requests().size(), 1U);
  EXPECT_EQ(Counts("apiquota_retries_total"), (CountMap{{"demo throttle body", 1}}));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardRetryTest, APostIsNotSentAgainAfterAFailureUnlessItsClientNamesIt) {
  FakeUpstream upstream(Says({Reply("502 Bad Gateway", ""), std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(Post("", kChat)).starts_with("HTTP/1.1 502 "));
  EXPECT_EQ(asked(), 1U);
  asked_ = 0;
  EXPECT_TRUE(Ask(Post("Idempotency-Key: a\r\n", kChat)).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardRetryTest, AConnectionThatBreaksIsTriedAgainAndInTheEndTold) {
  FakeUpstream upstream(Says({"", "", std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(asked(), 3U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardRetryTest, AnUpstreamThatIsNotThereIsTriedAgainByAnyMethod) {
  auto upstream = std::make_unique<FakeUpstream>(Says({std::string(kOk)}));
  StartGuarded(*upstream, {});
  upstream.reset();
  const std::string answer = Ask(Post("", kChat));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
  EXPECT_EQ(Counts("apiquota_retries_total"),
            (CountMap{{"demo unsent retried", 2}, {"demo unsent attempts", 1}}));
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"demo connect_refused", 3}}));
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"demo 502", 1}}));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardRetryTest, NothingIsSentAgainWhenAllAttemptsAreSpent) {
  FakeUpstream upstream(Says({Reply("500 Broken", "", "broken")}));
  StartGuarded(upstream, {});
  const std::string answer = Ask(kGetOnce);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 Broken\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nbroken")) << answer;
  EXPECT_NE(answer.find("\r\nx-should-retry: false\r\n"), std::string::npos) << answer;
  EXPECT_EQ(asked(), 3U);
  EXPECT_EQ(Counts("apiquota_retries_total"),
            (CountMap{{"demo transient retried", 2}, {"demo transient attempts", 1}}));
}

TEST_F(ProxyGuardRetryTest, AThrottleOfMoneyIsToldAtOnce) {
  FakeUpstream upstream(Says(
      {Reply("429 Too Many Requests", "", R"({"error":{"code":"insufficient_quota"}})"), std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 429 "));
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 ")) << "and nobody waits for it";
  EXPECT_EQ(asked(), 2U);
}

}  // namespace
}  // namespace apiquota::proxy
