// What hostile or clumsy peers do to a session: each case once ended the process, or let it grow without
// bound.
#include <poll.h>

#include <atomic>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Status(const std::string& answer) { return answer.substr(0, 12); }

TEST_F(ProxyTest, ARefusedRequestWithABodyBehindItIsConsumedOnce) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send(kOk);
  });
  Start({Demo(upstream)});
  const std::string length = "Content-Length: 5000\r\n\r\n";
  const std::string body(5000, 'b');
  const std::string pad = "X-Pad: " + std::string(1300, 'p') + "\r\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"POST /nope HTTP/1.1\r\nHost: localhost\r\n" + length + body, "HTTP/1.1 404"},
      {"GET /nope HTTP/1.0\r\nHost: localhost\r\n" + pad + "\r\n", "HTTP/1.1 404"},
      {"GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + pad + "\r\n", "HTTP/1.1 404"},
      {"POST /demo/%00 HTTP/1.1\r\nHost: localhost\r\n" + length + body, "HTTP/1.1 400"},
      {"POST /demo/x HTTP/1.1\r\nHost: evil.example\r\n" + length + body.substr(0, 900), "HTTP/1.1 421"},
  };
  for (const auto& [request, status] : cases) {
    Peer client = Connect();
    client.Send(request);
    client.Send("more that nobody asked for");
    EXPECT_EQ(Status(client.ReadHead()), status) << request.substr(0, 60);
  }
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(client.Read(kOk.size()), kOk);
}

TEST_F(ProxyTest, AFullQueueWhileABodyComesIsAnsweredOnce) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  options_.upstream_connections_max = 1;
  options_.upstream_queue_max = 0;
  Start({Demo(upstream)});
  Peer holder = Connect();
  holder.Send(kGet);
  for (int i = 0; i < 1000 && upstream.connections() == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  Peer client = Connect();
  client.Send("POST /demo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n" +
              std::string(5000, 'b'));
  EXPECT_EQ(Status(client.ReadHead()), "HTTP/1.1 503");
}

TEST_F(ProxyTest, AFailedExchangeIsNotContinuedOnTheNextOnesConnection) {
  FakeUpstream upstream([](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (!head.contains("/hints")) {
        peer.Send(kOk);
        continue;
      }
      std::string hints;
      for (int i = 0; i < 12; ++i) hints += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
      peer.Send(hints);
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok");
    }
  });
  Start({Demo(upstream)});
  std::vector<Peer> warm;  // so that idle connections wait in the pool
  for (int i = 0; i < 4; ++i) warm.push_back(Connect());
  for (Peer& peer : warm) peer.Send(kGet);
  for (Peer& peer : warm) EXPECT_EQ(peer.Read(kOk.size()), kOk);
  Peer client = Connect();
  client.Send("GET /demo/hints HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(kGet) + std::string(kGet));
  std::string answers;
  while (!answers.contains("502")) answers = client.ReadHead();
  client.ReadUntil("}}\n");
  EXPECT_EQ(client.Read(kOk.size()), kOk);
  EXPECT_EQ(client.Read(kOk.size()), kOk);
}

TEST_F(ProxyTest, AClientThatDoesNotReadGetsNoFurtherAnswers) {
  std::atomic<int> asked = 0;
  FakeUpstream upstream([&](Peer& peer) {
    const std::string body(60'000, 'x');
    while (!peer.ReadHead().empty()) {
      ++asked;
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
      peer.Send(body);
    }
  });
  Start({Demo(upstream)});
  Peer client = Connect(16 * 1024);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += kGet;
  client.Send(requests);
  int before = -1;
  while (before != asked) {  // until it stands still
    before = asked;
    std::this_thread::sleep_for(milliseconds(300));
  }
  EXPECT_LT(asked, 120) << "sent on to the upstream although nobody reads the answers";
  Peer own = Connect(16 * 1024);  // answers of the agent itself count like others
  requests.clear();
  for (int i = 0; i < 20'000; ++i) requests += "GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::thread sender([&] { own.Send(requests); });
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_LT(Counts("apiquota_http_rejected_total")["no_route"], 19'000);
  own.ShutdownSend();
  shutdown(own.fd(), SHUT_RDWR);
  sender.join();
}

TEST_F(ProxyTest, AClientThatReadsLateGetsEveryPipelinedAnswer) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty())
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + std::string(60'000, 'x'));
  });
  Start({Demo(upstream)});
  Peer client = Connect(16 * 1024);
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += kGet;
  client.Send(requests);
  std::this_thread::sleep_for(milliseconds(300));
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(Status(client.ReadHead()), "HTTP/1.1 200") << i;
    ASSERT_EQ(client.Read(60'000).size(), 60'000U) << i;
  }
}

// Waits for the other end to go, without reading a byte of what it sent.
bool GoesWithinSeconds(const Peer& peer) {
  pollfd watched{.fd = peer.fd(), .events = POLLRDHUP, .revents = 0};
  return poll(&watched, 1, 3000) == 1;
}

TEST_F(ProxyTest, AClientThatLeavesWhileItIsHeldBackIsNoticed) {
  std::atomic<int> outcome = -1;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    outcome = GoesWithinSeconds(peer) ? 1 : 0;
    outcome.notify_all();
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n");
  std::thread sender([&] { client.Send(std::string(32'000'000, 'x')); });
  std::this_thread::sleep_for(milliseconds(300));
  shutdown(client.fd(), SHUT_RDWR);
  sender.join();
  client.Reset();  // a FIN would wait behind what the kernel can't send
  outcome.wait(-1);
  EXPECT_EQ(outcome, 1);
}

TEST_F(ProxyTest, AClientThatLeavesWithRequestsStillUnreadIsNoticed) {
  std::atomic<int> outcome = -1;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    outcome = GoesWithinSeconds(peer) ? 1 : 0;
    outcome.notify_all();
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += kGet;
  client.Send(requests);
  std::this_thread::sleep_for(milliseconds(100));
  client.Close();
  outcome.wait(-1);
  EXPECT_EQ(outcome, 1);
}

}  // namespace
}  // namespace apiquota::proxy
