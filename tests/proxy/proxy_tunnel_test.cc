// WebSocket's handshake is judged, and only the switch that was asked for makes a tunnel (RFC 6455 4, RFC
// 9110 7.8).
#include <future>

#include "tests/proxy/tunnel_kit.h"

namespace apiquota::proxy {
namespace {

TEST_F(ProxyTunnelTest, TheHandshakeIsPassedOnAndThenEveryByte) {
  std::promise<std::string> asked;
  FakeUpstream upstream([&](Peer& peer) {
    asked.set_value(peer.ReadHead());
    peer.Send(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: realtime\r\n"
        "x-ratelimit-limit-requests: 100\r\nx-ratelimit-remaining-requests: 40\r\n\r\n");
    for (std::string bytes; !(bytes = peer.ReadSome()).empty();) peer.Send(bytes);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(Handshake(std::string(kHandshakeFields) + "Sec-WebSocket-Protocol: realtime\r\n"));
  EXPECT_EQ(asked.get_future().get(), "GET /v1/realtime HTTP/1.1\r\nHost: " + upstream.authority() + "\r\n" +
                                          std::string(kHandshakeFields) +
                                          "Sec-WebSocket-Protocol: realtime\r\nVia: 1.1 apiquota\r\n"
                                          "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(client.ReadHead(),
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: realtime\r\n"
            "x-ratelimit-limit-requests: 100\r\nx-ratelimit-remaining-requests: 40\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const std::string bytes("\x81\x05Hello\0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 29);
  client.Send(bytes);
  EXPECT_EQ(client.Read(bytes.size()), bytes);
  EXPECT_EQ(CountsOnce("apiquota_proxy_requests_total", 1), (CountMap{{"demo 101", 1}}));
  EXPECT_EQ(Counts("apiquota_upstream_requests_total"), (CountMap{{"demo anonymous  GET 101 proxy", 1}}));
  EXPECT_FALSE(ledger_.Read(RealClock().SystemNow()).quotas.empty()) << "the 101's limits are read";
}

TEST_F(ProxyTunnelTest, BytesBehindTheRequestAndBehindThe101AreNotLost) {
  std::promise<std::string> got;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(std::string(kSwitched) + "from the API");
    got.set_value(peer.Read(20'003));
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(Handshake() + "abc" + std::string(20'000, 'x'));  // more than a pipelining client may send
  EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 101 "));
  EXPECT_EQ(client.Read(12), "from the API");
  EXPECT_EQ(got.get_future().get(), "abc" + std::string(20'000, 'x'));
}

TEST_F(ProxyTunnelTest, ASwitchThatIsNotTheOneAskedForIsABadGateway) {
  const std::string accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  const std::string both = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  for (const std::string& fields :
       {both, both + "Sec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n", accept,
        accept + "Upgrade: websocket\r\n", accept + "Connection: Upgrade\r\n", both + accept + accept,
        accept + "Upgrade: h2c\r\nConnection: Upgrade\r\n"}) {
    FakeUpstream upstream([&](Peer& peer) {
      peer.ReadHead();
      peer.Send("HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\nSTRAY");
      peer.ReadAll();
    });
    Start({Demo(upstream)});
    Peer client = Connect();
    client.Send(Handshake());
    const std::string head = client.ReadHead();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 502 ")) << fields << head;
    EXPECT_TRUE(head.contains("without the proof of it")) << head;
    proxy_.reset();
    EXPECT_FALSE(client.ReadAll().contains("STRAY")) << fields;
  }
}

TEST_F(ProxyTunnelTest, ARequestThatIsNoHandshakeGoesOnWithoutUpgradeAndIsSentNoSwitch) {
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  for (const std::string& request :
       {Handshake(kHandshakeFields, "POST"), Handshake(kHandshakeFields, "GET", "h2c"), Handshake(key),
        Handshake(version), Handshake(key + key + version), Handshake(version + version + key),
        Handshake(version + "Sec-WebSocket-Key: short\r\n"),
        Handshake(std::string(kHandshakeFields) + "Content-Length: 0\r\n"),
        Handshake(std::string(kHandshakeFields) + "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"}) {
    std::promise<std::string> asked;
    FakeUpstream upstream([&](Peer& peer) {
      asked.set_value(peer.ReadHead());
      peer.Send(kSwitched);
      peer.ReadAll();
    });
    Start({Demo(upstream)});
    Peer client = Connect();
    client.Send(request);
    const std::string head = asked.get_future().get();
    EXPECT_FALSE(head.contains("Upgrade")) << head;
    EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 502 ")) << request;
    proxy_.reset();
  }
}

TEST_F(ProxyTunnelTest, AnAnswerThatDoesNotSwitchIsAnAnswerLikeAnyOther) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send(Handshake());
    EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 403 "));
    EXPECT_EQ(client.Read(2), "no");
  }
  client.Send(Handshake() + std::string(kGet));
  EXPECT_EQ(client.ReadUntil("no").substr(0, 12), "HTTP/1.1 403");
  EXPECT_EQ(client.ReadUntil("no").substr(0, 12), "HTTP/1.1 403") << "what stood behind it was a request";
}

}  // namespace
}  // namespace apiquota::proxy
