// Slots at a real proxy: what gives one back, on every way out.
#include "tests/proxy/guard_kit.h"
#include "tests/proxy/tunnel_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProxySlotsTest : public ProxyGuardTest {
 protected:
  static guard::Options With(size_t max, guard::Mode queue = guard::Mode::kOn) {
    guard::Options options;
    options.cold_concurrency = 1000;  // what ends unanswered is not waited for
    options.concurrency = guard::ConcurrencyOptions{};
    options.concurrency->max = max;
    options.queue.mode = queue;
    return options;
  }
  size_t InUse() {
    const auto accounts = guard_.View(Now());
    return accounts.empty() || !accounts[0].view.slots ? 0 : accounts[0].view.slots->in_use;
  }
  void Until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_TRUE(holds());
  }
};

TEST_F(ProxySlotsTest, NeverMoreThanWrittenAreAtTheApiAndAllAreServed) {
  std::atomic<int> under_way{0}, most{0};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      const int now = ++under_way;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(milliseconds(20));
      --under_way;
      peer.Send(kOk);
    }
  });
  StartGuarded(upstream, With(4));
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 30; ++i)
    clients.emplace_back([&] { served += Ask(kGetOnce).starts_with("HTTP/1.1 200 OK\r\n"); });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served, 30);
  EXPECT_LE(most, 4);
  EXPECT_GE(most, 3);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxySlotsTest, WhoLeavesAtAnyByteOfItsRequestHoldsNone) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, With(1));
  const std::string request = Post("", kChat);
  for (size_t n = 0; n <= request.size(); ++n) {
    Peer client = Connect();
    client.Send(std::string_view(request).substr(0, n));
    if (n % 2 == 0) client.Reset();
  }
  EXPECT_EQ(Held(), 0U);
  EXPECT_TRUE(Ask(request).starts_with("HTTP/1.1 200 OK\r\n"));
}

// The upstream stops at each byte of its answer, and the client leaves then.
TEST_F(ProxySlotsTest, WhoLeavesAtAnyByteOfItsAnswerHoldsNone) {
  std::atomic<size_t> bytes{0};
  std::atomic<int> sent{0};
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kOk.substr(0, bytes));
    ++sent;
    peer.ReadAll();
  });
  StartGuarded(upstream, With(1));
  for (bytes = 0; bytes < kOk.size(); ++bytes) {
    const int before = sent;
    Peer client = Connect();
    client.Send(kGetOnce);
    Until([&] { return sent == before + 1; });
    ASSERT_EQ(InUse(), 1U) << bytes;
    bytes % 2 == 0 ? client.Reset() : client.Close();
    ASSERT_EQ(Held(), 0U) << bytes;
  }
}

// … and here it is the upstream that breaks off.
TEST_F(ProxySlotsTest, AnApiThatBreaksOffAtAnyByteGivesItBack) {
  std::atomic<size_t> bytes{0};
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kOk.substr(0, bytes));
  });
  guard::Options options = With(1);
  options.retry.mode = guard::Mode::kOff;
  StartGuarded(upstream, options);
  for (bytes = 0; bytes < kOk.size(); ++bytes) {
    Ask(kGetOnce);
    ASSERT_EQ(Held(), 0U) << bytes;
  }
}

TEST_F(ProxySlotsTest, AClientThatDoesNotReadHoldsNonePastItsStallDeadline) {
  FakeUpstream upstream([](Peer& peer) {
    const std::string head = peer.ReadHead();
    if (head.find("/large") == std::string::npos) return peer.Send(kOk);
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 300; ++i) peer.Send(piece);
  });
  options_.body_idle_timeout = milliseconds(500);
  StartGuarded(upstream, With(1));
  Peer client = Connect(4096);
  client.Send("GET /demo/large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Until([&] { return InUse() == 1; });
  const SteadyTime began = RealClock().SteadyNow();
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 OK\r\n")) << "who waits for it gets it";
  EXPECT_LT(RealClock().SteadyNow() - began, seconds(5));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxySlotsTest, ATunnelHoldsItsSlotUntilItEnds) {
  FakeUpstream upstream([](Peer& peer) {
    if (peer.ReadHead().find("/v1/realtime") == std::string::npos) return peer.Send(kOk);
    peer.Send(kSwitched);
    peer.ReadAll();
  });
  StartGuarded(upstream, With(1, guard::Mode::kOff));
  {
    Peer client = Connect();
    client.Send(Handshake());
    EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 101 "));
    EXPECT_EQ(InUse(), 1U);
    const std::string refused = Ask(kGetOnce);
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 429 ")) << refused;
    EXPECT_NE(refused.find("\r\nRetry-After: 1\r\n"), std::string::npos) << refused;
  }
  EXPECT_EQ(Held(), 0U);
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Counts("apiquota_decisions_total"),
            (CountMap{{"demo none allow on", 2}, {"demo concurrency reject on", 1}}));
}

TEST_F(ProxySlotsTest, OneThatIsToBeSentAgainHoldsNoneMeanwhile) {
  FakeUpstream upstream(Says({Reply("503 Service Unavailable", "Retry-After: 1\r\n"), std::string(kOk)}));
  StartGuarded(upstream, With(1));
  Peer client = Connect();
  client.Send(kGetOnce);
  Until([&] { return asked() == 1 && InUse() == 0; });
  EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxySlotsTest, AShadowRefusesNobodyAndCounts) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      std::this_thread::sleep_for(milliseconds(200));
      peer.Send(kOk);
    }
  });
  guard::Options options = With(1);
  options.concurrency->mode = guard::Mode::kShadow;
  StartGuarded(upstream, options);
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i)
    clients.emplace_back([&] { EXPECT_TRUE(Ask(kGetOnce).starts_with("HTTP/1.1 200 OK\r\n")); });
  for (std::thread& client : clients) client.join();
  const CountMap counts = Counts("apiquota_decisions_total");
  EXPECT_EQ(counts.at("demo none allow on"), 3);
  EXPECT_EQ(counts.at("demo concurrency delay shadow"), 2);
  EXPECT_EQ(Held(), 0U);
}

}  // namespace
}  // namespace apiquota::proxy
