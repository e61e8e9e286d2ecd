// What the guard decides, carried out by a real proxy: who waits, who is refused, what is sent again.
#include <atomic>

#include "guard/guard.h"
#include "net/loop.h"
#include "proxy/guard_clock.h"
#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

std::string Reply(std::string_view status, std::string_view fields, std::string_view body = "{}") {
  return std::string("HTTP/1.1 ")
             .append(status)
             .append("\r\n")
             .append(fields)
             .append("Content-Length: ")
             .append(std::to_string(body.size())) +
         "\r\n\r\n" + std::string(body);
}

std::string Post(std::string_view fields, std::string_view body) {
  return std::string("POST /demo/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
             .append(fields)
             .append("Content-Length: ")
             .append(std::to_string(body.size())) +
         "\r\n\r\n" + std::string(body);
}

constexpr std::string_view kGetOnce =
    "GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view kChat = R"({"model":"gpt-5","messages":[]})";

class ProxyGuardTest : public ProxyTest {
 protected:
  ~ProxyGuardTest() override {
    proxy_.reset();
    loop_.Stop();
  }

  // Answers with these, one after the other; the last one for ever. Empty: it closes the connection.
  FakeUpstream::Script Says(std::vector<std::string> replies) {
    replies_ = std::move(replies);
    return [this](Peer& peer) {
      while (true) {
        const std::string head = peer.ReadHead();
        if (head.empty()) return;
        std::string request = head;
        if (const size_t at = head.find("Content-Length: "); at != std::string::npos)
          request += peer.Read(std::stoul(head.substr(at + 16)));
        const size_t n = asked_.fetch_add(1);
        {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
        }
        const std::string& reply = replies_[std::min(n, replies_.size() - 1)];
        if (reply.empty()) return;
        peer.Send(reply);
      }
    };
  }

  // What /v1/models and chats of "demo" are guarded by.
  void StartGuarded(const FakeUpstream& upstream, guard::Options options) {
    apis::ApiOptions api = Demo(upstream);
    options.mode = guard::Mode::kOn;
    api.guard = options;
    clock_.Wind(guard_);
    guard_.Configure({{.api = "demo", .pool = "demo", .options = api.guard, .declared = {}}}, Now());
    loop_.Start();
    auto proxy = Proxy::Start(options_, Routes({api}),
                              {RealClock(), ledger_, metrics_, own_ports_, "apiquota", &guard_, &clock_});
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_ = std::move(*proxy);
  }

  static SystemTime Now() { return RealClock().RunningNow().at; }

  // Holds and waits, of all keys; counted once all is quiet.
  size_t Held() {
    size_t held = 1;
    for (int i = 0; i < 400 && held != 0; ++i) {
      held = 0;
      for (const guard::AccountView& account : guard_.View(Now())) {
        held += account.view.in_flight;
        for (const auto& queue : account.view.queues) held += queue.depth;
        for (const auto& limit : account.view.limits) held += limit.reserved > 0 ? 1 : 0;
      }
      if (held != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return held;
  }

  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t asked() const { return asked_; }

  net::Loop loop_{RealClock()};
  GuardClock clock_{loop_};
  guard::Guard guard_{clock_};
  std::vector<std::string> replies_;
  std::atomic<size_t> asked_{0};
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

TEST_F(ProxyGuardTest, AThrottleIsWaitedOutAndTheClientIsToldForHowLong) {
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

TEST_F(ProxyGuardTest, ABodyIsReplayedAsItCame) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 1\r\n"), std::string(kOk)}));
  StartGuarded(upstream, {});
  const std::string body = R"({"model":"gpt-5","input":")" + std::string(200'000, 'x') + "\"}";
  EXPECT_TRUE(Ask(Post("", body)).starts_with("HTTP/1.1 200 OK\r\n"));
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[0], requests()[1]);
  EXPECT_TRUE(requests()[1].ends_with(body));
}

TEST_F(ProxyGuardTest, ABodyTooLargeToKeepIsSentOnce) {
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

TEST_F(ProxyGuardTest, APostIsNotSentAgainAfterAFailureUnlessItsClientNamesIt) {
  FakeUpstream upstream(Says({Reply("502 Bad Gateway", ""), std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(Post("", kChat)).starts_with("HTTP/1.1 502 "));
  EXPECT_EQ(asked(), 1U);
  asked_ = 0;
  EXPECT_TRUE(Ask(Post("Idempotency-Key: a\r\n", kChat)).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, AConnectionThatBreaksIsTriedAgainAndInTheEndTold) {
  FakeUpstream upstream(Says({"", "", std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(asked(), 3U);
  FakeUpstream gone(Says({""}));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyGuardTest, NothingIsSentAgainWhenAllAttemptsAreSpent) {
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

TEST_F(ProxyGuardTest, AThrottleOfMoneyIsToldAtOnce) {
  FakeUpstream upstream(Says(
      {Reply("429 Too Many Requests", "", R"({"error":{"code":"insufficient_quota"}})"), std::string(kOk)}));
  StartGuarded(upstream, {});
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 429 "));
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 ")) << "and nobody waits for it";
  EXPECT_EQ(asked(), 2U);
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
