// How tunnels end, and what they hold back until then.
#include <poll.h>

#include <future>

#include "tests/proxy/tunnel_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ProxyTunnelTest, TheEndOfOneSideIsPassedOnBehindItsLastByteAndTheOtherStillSpeaks) {
  std::promise<std::string> got;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    got.set_value(peer.ReadAll());
    peer.Send(std::string(300'000, 'u'));
  });
  Start({Demo(upstream)});
  Peer client = Switched();
  client.Send(std::string(300'000, 'c'));
  client.ShutdownSend();
  EXPECT_EQ(got.get_future().get(), std::string(300'000, 'c'));
  EXPECT_EQ(client.ReadAll(), std::string(300'000, 'u'));
  EXPECT_EQ(client.end(), Peer::End::kFin);
}

TEST_F(ProxyTunnelTest, AnUpstreamThatEndsFirstIsStillToldTheClientsLastWords) {
  std::promise<std::string> got;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    peer.ShutdownSend();
    got.set_value(peer.ReadAll());
  });
  Start({Demo(upstream)});
  Peer client = Switched();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(client.end(), Peer::End::kFin);
  client.Send("bye");
  client.ShutdownSend();
  EXPECT_EQ(got.get_future().get(), "bye");
}

TEST_F(ProxyTunnelTest, AResetOfOneSideResetsTheOther) {
  std::promise<Peer::End> end;
  std::promise<void> go;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    if (peer.Read(1) == "r") return peer.Reset();
    peer.ReadAll();
    end.set_value(peer.end());
  });
  Start({Demo(upstream)});
  Peer first = Switched();
  first.Send("r");
  EXPECT_EQ(first.ReadAll(), "");
  EXPECT_EQ(first.end(), Peer::End::kReset);
  Peer second = Switched();
  second.Send("x");
  second.Reset();
  EXPECT_EQ(end.get_future().get(), Peer::End::kReset);
}

// Also when its side is paused, because the other takes nothing.
TEST_F(ProxyTunnelTest, AResetBehindUnreadBytesIsToldAtOnce) {
  options_.body_idle_timeout = seconds(60);
  options_.drain_timeout = seconds(8);
  std::promise<Peer::End> end;
  std::promise<void> gone;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    gone.get_future().wait();
    peer.ReadAll();
    end.set_value(peer.end());
  });
  Start({Demo(upstream)});
  Peer client = Switched();
  const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  client.Send(std::string(32 << 20, 'x'));  // until nobody takes more
  client.Reset();
  const auto began = std::chrono::steady_clock::now();
  proxy_->Drain();  // waits for the tunnel
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(5));
  gone.set_value();
  EXPECT_EQ(end.get_future().get(), Peer::End::kReset);
}

TEST_F(ProxyTunnelTest, WhoGoesOnSpeakingToAnUpstreamThatIsGoneIsCut) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    peer.Close();
  });
  Start({Demo(upstream)});
  Peer client = Switched();
  EXPECT_EQ(client.ReadAll(), "");
  client.Send("?");  // the upstream's kernel answers with a reset
  pollfd until{.fd = client.fd(), .events = 0, .revents = 0};
  EXPECT_EQ(poll(&until, 1, 5000), 1);
}

TEST_F(ProxyTunnelTest, AReaderThatTakesNothingHoldsTheOtherBackAndLosesNothing) {
  constexpr size_t kMuch = 32 << 20;
  std::promise<void> blocked, read;
  std::promise<size_t> got;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    const std::string much(kMuch, 'd');
    const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
    setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    const ssize_t sent = send(peer.fd(), much.data(), much.size(), MSG_NOSIGNAL);
    EXPECT_LT(sent, static_cast<ssize_t>(kMuch)) << "the agent keeps it all";
    blocked.set_value();
    const timeval late{.tv_sec = 10, .tv_usec = 0};
    setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &late, sizeof late);
    peer.Send(std::string_view(much).substr(static_cast<size_t>(sent)));
    read.get_future().wait();
    got.set_value(peer.Read(kMuch).size());
  });
  Start({Demo(upstream)});
  Peer client = Switched();
  blocked.get_future().wait();
  EXPECT_EQ(client.Read(kMuch).size(), kMuch);
  const std::string much(kMuch, 'u');
  const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  const ssize_t sent = send(client.fd(), much.data(), much.size(), MSG_NOSIGNAL);
  EXPECT_LT(sent, static_cast<ssize_t>(kMuch));
  const timeval late{.tv_sec = 10, .tv_usec = 0};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &late, sizeof late);
  read.set_value();
  client.Send(std::string_view(much).substr(static_cast<size_t>(sent)));
  EXPECT_EQ(got.get_future().get(), kMuch);
}

TEST_F(ProxyTunnelTest, AReaderThatStandsStillIsCut) {
  options_.body_idle_timeout = milliseconds(500);
  std::promise<int> error;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    peer.Send(std::string(32 << 20, 'x'));
    error.set_value(errno);
  });
  Start({Demo(upstream)});
  Peer client = Switched(4096);
  EXPECT_EQ(error.get_future().get(), ECONNRESET);
  client.ReadAll();
  EXPECT_EQ(client.end(), Peer::End::kReset);
}

TEST_F(ProxyTunnelTest, AnIdleTunnelIsCutAndABusyOneIsNot) {
  options_.tunnel_idle_timeout = milliseconds(600);
  FakeUpstream upstream(Echo);
  Start({Demo(upstream)});
  Peer client = Switched();
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began < milliseconds(1500)) {
    client.Send("ping");
    ASSERT_EQ(client.Read(4), "ping");
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(client.end(), Peer::End::kReset);
}

TEST_F(ProxyTunnelTest, OfATunnelHalfEndedTheRestMayNotLinger) {
  options_.body_idle_timeout = milliseconds(300);
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    peer.ReadAll();
    peer.Send("x");
    std::this_thread::sleep_for(milliseconds(1200));
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  Peer client = Switched();
  client.ShutdownSend();
  EXPECT_EQ(client.ReadAll(), "x");
  EXPECT_EQ(client.end(), Peer::End::kReset);
}

TEST_F(ProxyTunnelTest, ADrainLeavesATunnelItsTimeAndThenResetsIt) {
  options_.drain_timeout = milliseconds(800);
  FakeUpstream upstream(Echo);
  Start({Demo(upstream)});
  Peer leaves = Switched();
  Peer stays = Switched();
  std::thread drain([this] { proxy_->Drain(); });
  while (true) {  // until it listens no more
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(proxy_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool refused = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
    close(fd);
    if (refused) break;
  }
  stays.Send("ping");
  EXPECT_EQ(stays.Read(4), "ping");
  leaves.ShutdownSend();
  EXPECT_EQ(leaves.ReadAll(), "");
  EXPECT_EQ(leaves.end(), Peer::End::kFin);
  EXPECT_EQ(stays.ReadAll(), "");
  EXPECT_EQ(stays.end(), Peer::End::kReset);
  drain.join();
}

TEST_F(ProxyTunnelTest, ADrainEndsWithTheLastTunnel) {
  options_.drain_timeout = seconds(60);
  FakeUpstream upstream(Echo);
  Start({Demo(upstream)});
  Peer client = Switched();
  std::thread drain([this] { proxy_->Drain(); });
  client.Close();
  drain.join();
}

TEST_F(ProxyTunnelTest, ATunnelIsAClientAndAConnectionOfItsUpstream) {
  options_.clients_max = 2;
  options_.upstream_connections_max = 1;
  options_.upstream_queue_max = 0;
  FakeUpstream upstream([](Peer& peer) {
    if (peer.ReadHead().contains("Upgrade")) {
      peer.Send(kSwitched);
      peer.ReadAll();
      return;
    }
    peer.Send(kOk);
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  Peer tunnel = Switched();
  Peer other = Connect();
  other.Send(kGet);
  EXPECT_TRUE(other.ReadUntil("\"}").contains("queue_full"));
  Peer third = Connect();
  third.Send(kGet);
  EXPECT_TRUE(third.ReadUntil("\"}").contains("clients_max"));
  tunnel.Reset();
  std::string answer;
  for (int i = 0; i < 1000 && !answer.ends_with("ok"); ++i)
    answer = Ask("GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("ok")) << answer;
}

}  // namespace
}  // namespace apiquota::proxy
