// The slot of a tunnel is given back before its client is told that it has ended. Who waits for the slot is
// granted it by the same call, in which the rim looks at what the client has been told.
#include <sys/socket.h>

#include <atomic>

#include "tests/proxy/guard_kit.h"
#include "tests/proxy/tunnel_kit.h"

namespace apiquota::proxy {
namespace {

class WitnessRim final : public guard::Rim {
 public:
  explicit WitnessRim(GuardClock& clock) : clock_(clock) {}

  void Deliver(uint32_t home, std::vector<guard::Granted> granted) override {
    char byte;
    const ssize_t n = client_ < 0 ? -1 : recv(client_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) before_ = true;
    clock_.Deliver(home, std::move(granted));
  }
  void WakeBy(SystemTime at) override { clock_.WakeBy(at); }

  void Watch(int client) { client_ = client; }
  bool before() const { return before_; }

 private:
  GuardClock& clock_;
  std::atomic<int> client_{-1};
  std::atomic<bool> before_{false};
};

class ProxyTunnelSlotsTest : public ProxyTest {
 protected:
  ~ProxyTunnelSlotsTest() override {
    proxy_.reset();
    loop_.Stop();
  }

  void StartWithOneSlot(const FakeUpstream& upstream) {
    apis::ApiOptions api = Demo(upstream);
    api.guard.mode = guard::Mode::kOn;
    api.guard.cold_concurrency = 1000;
    api.guard.concurrency = guard::ConcurrencyOptions{};
    api.guard.concurrency->max = 1;
    clock_.Wind(guard_);
    guard_.Configure({{.api = "demo", .pool = "demo", .options = api.guard, .declared = {}}}, Now());
    loop_.Start();
    auto proxy = Proxy::Start(options_, Routes({api}),
                              {RealClock(), ledger_, metrics_, own_ports_, "apiquota", &guard_, &clock_});
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_ = std::move(*proxy);
  }

  static SystemTime Now() { return RealClock().RunningNow().at; }

  void UntilOneWaits() {
    size_t waiting = 0;
    for (int i = 0; i < 2000 && waiting == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      for (const guard::AccountView& account : guard_.View(Now())) waiting += account.view.waiting;
    }
    EXPECT_EQ(waiting, 1U);
  }

  // A tunnel whose API does as `ends` says once somebody waits for its slot.
  void ExpectGivenBackFirst(const std::function<void(Peer&)>& ends) {
    std::atomic<bool> waits{false};
    FakeUpstream upstream([&](Peer& peer) {
      if (peer.ReadHead().find("/v1/realtime") == std::string::npos) return peer.Send(kOk);
      peer.Send(kSwitched);
      while (!waits) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ends(peer);
    });
    StartWithOneSlot(upstream);
    Peer client = Connect();
    client.Send(Handshake());
    EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 101 "));
    Peer next = Connect();
    next.Send(kGetOnce);
    UntilOneWaits();
    rim_.Watch(client.fd());
    waits = true;
    EXPECT_TRUE(next.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"))
        << "its turn does not depend on the client";
    EXPECT_TRUE(rim_.before()) << "the client was told first";
    EXPECT_TRUE(client.AtEnd());
  }

  net::Loop loop_{RealClock()};
  GuardClock clock_{loop_};
  WitnessRim rim_{clock_};
  guard::Guard guard_{rim_};
};

TEST_F(ProxyTunnelSlotsTest, NoClientIsToldThatItsTunnelEndsBeforeItsSlotIsFree) {
  ExpectGivenBackFirst([](Peer& peer) { peer.ShutdownSend(); });
}

TEST_F(ProxyTunnelSlotsTest, NorThatItIsCut) {
  ExpectGivenBackFirst([](Peer& peer) { peer.Reset(); });
}

}  // namespace
}  // namespace apiquota::proxy
