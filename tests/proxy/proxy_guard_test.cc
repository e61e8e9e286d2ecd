// What the guard decides, carried out by a real proxy: who waits, who is refused, what is held until when.
#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {
namespace {

TEST_F(ProxyGuardTest, WhoWouldHaveToWaitForTooLongIsRefusedAtOnceAndNothingIsSent) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 600\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  const std::string answer = Ask(Post("", kChat));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n")) << answer;
  for (const char* field :
       {"\r\nRetry-After: 6", "\r\nRateLimit: \"apiquota-", ";r=0;t=6", "\r\nx-should-retry: false",
        "\r\nProxy-Status: apiquota; error=http_request_denied; details=\"", "\r\nConnection: close"}) {
    EXPECT_NE(answer.find(field), std::string::npos) << field << " in " << answer;
  }
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"demo 429", 2}}));
  EXPECT_EQ(Held(), 0U);
}

// Else what the client takes for its next answer is ours.
TEST_F(ProxyGuardTest, ARefusalToHeadHasNoBodyAndItsConnectionGoesOn) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 600\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 429 "));
  Peer client = Connect();
  client.Send("HEAD /demo/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = client.ReadHead();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 429 ")) << head;
  client.Send(kGetOnce);
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 429 ")) << "of the second request";
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyGuardTest, OneWhoLeavesWhileItWaitsIsNotSentAndHoldsNothing) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  Peer client = Connect();
  client.Send(kGetOnce);
  while (asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  client.Close();
  EXPECT_EQ(Held(), 0U);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyGuardTest, AnSdkThatWouldNotWaitIsRefusedBeforeItGivesUp) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 30\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  const std::string request = Post("x-stainless-read-timeout: 2\r\nx-stainless-retry-count: 1\r\n", kChat);
  EXPECT_TRUE(Ask(request).starts_with("HTTP/1.1 429 "));
  const SteadyTime began = RealClock().SteadyNow();
  const std::string answer = Ask(request);
  EXPECT_LT(RealClock().SteadyNow() - began, std::chrono::milliseconds(500));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
  EXPECT_EQ(answer.find("x-should-retry"), std::string::npos) << answer;
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(Counts("apiquota_client_retries_total"), (CountMap{{"demo ", 2}}));
  EXPECT_EQ(Counts("apiquota_decisions_total"),
            (CountMap{{"demo none allow on", 1}, {"demo retry_after reject on", 1}}));
}

TEST_F(ProxyGuardTest, ARequestThatNamesNoModelWhereItShouldIsCounted) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(Post("", R"({"messages":[]})")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask(Post("", kChat)).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 "));
  const CountMap blind = Counts("apiquota_guard_blind_total");
  EXPECT_LE(blind.empty() ? 0 : blind.at("demo"), 2) << "the one that named it is none of them";
}

TEST_F(ProxyGuardTest, AShadowOnlyCounts) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 600\r\n")}));
  guard::Options options;
  for (guard::Part* part :
       {static_cast<guard::Part*>(&options.pace), static_cast<guard::Part*>(&options.queue),
        static_cast<guard::Part*>(&options.retry), static_cast<guard::Part*>(&options.cooldown)})
    part->mode = guard::Mode::kShadow;
  StartGuarded(upstream, options);
  for (int i = 0; i < 3; ++i) {
    const std::string answer = Ask(Post("", kChat));
    EXPECT_NE(answer.find("\r\nRetry-After: 600\r\n"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("Proxy-Status"), std::string::npos) << answer;
  }
  EXPECT_EQ(asked(), 3U);
  EXPECT_EQ(Counts("apiquota_decisions_total"),
            (CountMap{{"demo none allow shadow", 1}, {"demo retry_after reject shadow", 2}}));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, WhoseBodyNamesTheModelIsAskedForItAndSentWhole) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, {});
  Peer client = Connect();
  const std::string request = Post("Expect: 100-continue\r\n", kChat);
  client.Send(request.substr(0, request.size() - kChat.size()));
  EXPECT_EQ(client.ReadHead(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(asked(), 0U);
  client.Send(kChat);
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(requests()[0].ends_with(kChat));
}

TEST_F(ProxyGuardTest, ALargeBodyIsReadNoFurtherWhileItWaitsAndSentWhole) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  guard::Options options;
  options.retry.replay_bytes_max = 40'000;
  StartGuarded(upstream, options);
  Peer first = Connect();
  first.Send(kGetOnce);
  while (asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const std::string body = R"({"model":"gpt-5","input":")" + std::string(600'000, 'x') + "\"}";
  const std::string answer = Ask(Post("", body));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("\r\napiquota-delay: "), std::string::npos) << answer;
  EXPECT_TRUE(first.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(requests()[1].ends_with(body) || requests()[2].ends_with(body));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, OneThatWaitsOutlivesAReload) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  Peer client = Connect();
  client.Send(kGetOnce);
  while (asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  apis::ApiOptions api = Demo(upstream);
  api.guard.mode = guard::Mode::kOn;
  for (int i = 0; i < 3; ++i) {
    guard_.Configure({{.api = "demo", .pool = "demo", .options = api.guard, .declared = {}}}, Now());
    proxy_->SetRoutes(Routes({api}));
  }
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, OneThatWaitsIsToldWhenItsApiIsGone) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 20\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  Peer client = Connect();
  client.Send(kGetOnce);
  while (asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  guard_.Configure({}, Now());
  proxy_->SetRoutes(Routes({}));
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyGuardTest, WhoWaitsWhenTheAgentStopsIsToldSo) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 40\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  Peer client = Connect();
  client.Send(kGetOnce);
  while (asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  guard_.Drain(Now() + std::chrono::seconds(1), Now());
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << answer;
  EXPECT_NE(answer.find("\r\napiquota-delay: 0."), std::string::npos) << "it has waited: " << answer;
  EXPECT_NE(answer.find("\r\nRetry-After: "), std::string::npos) << answer;
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, WhatIsHeldWhenTheProxyGoesComesBack) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.ReadAll();
  });
  StartGuarded(upstream, {});
  Peer client = Connect();
  client.Send(kGetOnce);
  for (int i = 0; i < 400 && guard_.View(Now()).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(guard_.View(Now()).at(0).view.in_flight, 1U);
  proxy_.reset();
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, ATunnelHoldsItsTurnUntilItEnds) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    // The proof of RFC 6455 section 1.3's key.
    peer.Send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello");
    peer.ReadAll();
  });
  StartGuarded(upstream, {});
  {
    Peer client = Connect();
    client.Send(
        "GET /demo/v1/realtime HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    client.ReadHead();
    EXPECT_EQ(client.Read(5), "hello");
    EXPECT_EQ(guard_.View(Now()).at(0).view.in_flight, 1U);
  }
  EXPECT_EQ(Held(), 0U);
}

}  // namespace
}  // namespace apiquota::proxy
