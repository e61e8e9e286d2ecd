// What happens when one side fails the other.
#include <atomic>
#include <fstream>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;

// The status, and what Proxy-Status says about it.
std::string Verdict(const std::string& answer) {
  const size_t error = answer.find("Proxy-Status: apiquota; error=");
  if (error == std::string::npos) return answer.substr(0, answer.find("\r\n"));
  const size_t from = error + sizeof "Proxy-Status: apiquota; error=" - 1;
  return answer.substr(9, 3) + " " + answer.substr(from, answer.find(';', from) - from);
}

constexpr std::string_view kAskAndClose =
    "GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

int64_t ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

TEST_F(ProxyTest, AClientThatLeavesTakesItsUpstreamExchangeWithIt) {
  std::atomic<int64_t> noticed_after{-1};
  std::atomic<bool> asked = false;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    asked = true;
    asked.notify_all();
    const auto begin = std::chrono::steady_clock::now();
    if (!peer.AtEnd()) return;
    noticed_after = (std::chrono::steady_clock::now() - begin) / milliseconds(1);
    noticed_after.notify_all();
  });
  Start({Demo(upstream)});
  {
    Peer client = Connect();
    client.Send(kGet);
    asked.wait(false);
  }
  noticed_after.wait(-1);
  EXPECT_LT(noticed_after.load(), 1000);
}

TEST_F(ProxyTest, ATruncatedLengthIsForwardedAndThenCutShort) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\nhalf");
  });
  Start({Demo(upstream)});
  EXPECT_EQ(Ask(kGet), "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"demo truncated", 1}}));
}

TEST_F(ProxyTest, TruncatedChunksNeverGetALastChunk) {
  const std::string begin = "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  const struct {
    std::string_view sent;
    std::string_view forwarded;
  } tails[] = {{"", ""}, {"5\r\nhel", "3\r\nhel\r\n"}, {"zz\r\n", ""}};
  for (const auto& tail : tails) {
    std::atomic<bool> go = false;
    FakeUpstream upstream([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(begin);
      go.wait(false);
      peer.Send(tail.sent);
    });
    Start({Demo(upstream)});
    Peer client = Connect();
    client.Send(kGet);
    EXPECT_EQ(client.ReadUntil("hello\r\n"), begin);
    go = true;
    go.notify_all();
    EXPECT_EQ(client.ReadAll(), tail.forwarded);
    proxy_.reset();
  }
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"demo truncated", 3}}));
}

TEST_F(ProxyTest, AnHttp10ClientSeesATruncatedBodyAsAReset) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("GET /demo/ HTTP/1.0\r\n\r\n");
  client.ReadAll();
  EXPECT_EQ(client.end(), Peer::End::kReset);
}

TEST_F(ProxyTest, ARequestThatMayHaveBeenSentIsNeverSentAgain) {
  std::atomic<int> seen{0};
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kOk);
    if (!peer.ReadHead().empty()) ++seen;  // the second request on this connection dies with it
  });
  for (const std::string_view method : {"POST", "GET"}) {
    Start({Demo(upstream)});  // one that has not learned yet how this upstream treats its connections
    Peer client = Connect();
    client.Send(kGet);
    ASSERT_EQ(client.Read(kOk.size()), kOk);
    client.Send(std::string(method) + " /demo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(Verdict(client.ReadUntil("}}\n")), "502 connection_terminated") << method;
  }
  EXPECT_EQ(seen.load(), 2);
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"demo closed_early", 2}}));
}

TEST_F(ProxyTest, AConnectionTheUpstreamClosedWhileIdleIsNotUsed) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kOk);
  });
  Start({Demo(upstream)});
  for (size_t i = 1; i <= 5; ++i) {
    Peer client = Connect();
    client.Send(kAskAndClose);
    EXPECT_TRUE(client.ReadAll().ends_with("ok"));
    while (upstream.connections() < i) std::this_thread::yield();
    // The upstream has closed by the time its thread has ended; the loop sees that before the next client.
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), CountMap{});
}

TEST_F(ProxyTest, AConnectionWithUnreadBytesServesNobodyElse) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  for (int i = 0; i < 3; ++i) {
    Peer client = Connect();
    client.Send(kGet);
    EXPECT_EQ(client.Read(kOk.size()), kOk);
  }
  EXPECT_EQ(upstream.connections(), 3U);
}

TEST_F(ProxyTest, AnEarlyAnswerEndsBothConnections) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 2\r\n\r\nno");
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nsome");
  EXPECT_EQ(client.ReadAll(),
            "HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
}

TEST_F(ProxyTest, ResponsesThatAreNotHttpAreABadGateway) {
  const std::string_view replies[] = {
      "garbage\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
  };
  for (const std::string_view reply : replies) {
    FakeUpstream upstream([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(reply);
      peer.ReadAll();
    });
    Start({Demo(upstream)});
    EXPECT_EQ(Verdict(Ask(kAskAndClose)), "502 http_protocol_error") << reply;
    proxy_.reset();
  }
}

TEST_F(ProxyTest, AnUpstreamThatRefusesConnectionsIsABadGateway) {
  uint16_t port = 0;
  apis::ApiOptions api;
  {
    FakeUpstream upstream([](Peer&) {});
    port = upstream.port();
    api = Demo(upstream);
  }
  Start({api});
  EXPECT_EQ(Verdict(Ask(kAskAndClose)), "502 connection_refused");
  api.base_url = "http://no-such-host.invalid:" + std::to_string(port);
  proxy_->SetRoutes(Routes({api}));
  std::string answer;
  while ((answer = Verdict(Ask(kAskAndClose))) == "502 connection_refused") {
  }
  EXPECT_EQ(answer, "502 dns_error");
}

TEST_F(ProxyTest, PrivateAddressesNeedTheOperatorAndTheAgentItselfIsNeverAnUpstream) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  apis::ApiOptions api = Demo(upstream);
  api.base_url_by_operator = false;
  own_ports_ = {};
  Start({api});
  EXPECT_EQ(Verdict(Ask(kAskAndClose)), "502 destination_ip_prohibited");
  proxy_.reset();
  own_ports_ = {upstream.port()};
  Start({Demo(upstream)});
  EXPECT_EQ(Verdict(Ask(kAskAndClose)), "502 destination_ip_prohibited");
  api = Demo(upstream);
  api.base_url = "http://localhost:" + std::to_string(proxy_->port());
  proxy_->SetRoutes(Routes({api}));
  EXPECT_EQ(upstream.connections(), 0U);
}

TEST_F(ProxyTest, ASlowReaderHoldsItsUpstreamBackAndCostsABoundedAmount) {
  constexpr size_t kTotal = 64 << 20;
  std::atomic<size_t> sent{0};
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: " + std::to_string(kTotal) + "\r\n\r\n");
    const std::string piece(1 << 20, 'x');
    for (; sent < kTotal; sent += piece.size()) peer.Send(piece);
  });
  Start({Demo(upstream)});
  Peer client = Connect(64 * 1024);
  const int64_t before = ResidentKilobytes();
  client.Send(kGet);
  client.ReadHead();
  for (size_t last = 0; last == 0 || last != sent;) {
    last = sent;
    std::this_thread::sleep_for(milliseconds(200));
  }
  EXPECT_LT(sent.load(), kTotal / 2);                  // the kernel's buffers, and ours
  EXPECT_LT(ResidentKilobytes() - before, 16 * 1024);  // a sanitizer's shadow included
  size_t got = 0;
  for (std::string piece; got < kTotal && !(piece = client.ReadSome()).empty();) got += piece.size();
  EXPECT_GE(got + 65536, kTotal);
}

TEST_F(ProxyTest, ASlowUpstreamHoldsItsClientBack) {
  std::atomic<bool> go = false;
  size_t received = 0;
  constexpr size_t kTotal = 32 << 20;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    go.wait(false);
    received = peer.Read(kTotal).size();
    peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(kTotal) +
              "\r\n\r\n");
  std::atomic<size_t> sent{0};
  std::thread sender([&] {
    const std::string piece(1 << 20, 'x');
    for (; sent < kTotal; sent += piece.size()) client.Send(piece);
  });
  for (size_t last = 0; last == 0 || last != sent;) {
    last = sent;
    std::this_thread::sleep_for(milliseconds(200));
  }
  EXPECT_LT(sent.load(), kTotal);
  go = true;
  go.notify_all();
  sender.join();
  EXPECT_EQ(client.Read(kOk.size()), kOk);
  EXPECT_EQ(received, kTotal);
}

}  // namespace
}  // namespace apiquota::proxy
