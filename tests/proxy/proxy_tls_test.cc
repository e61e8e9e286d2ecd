// TLS upstreams: who is believed, and that nobody else gets a byte of a request.
#include <atomic>

#include "tests/net/certificates.h"
#include "tests/proxy/tunnel_kit.h"

namespace apiquota::proxy {
namespace {

class ProxyTlsTest : public ProxyTest {
 protected:
  ProxyTlsTest() : ca_file_(testing::TempDir() + "proxy_tls_test_" + std::to_string(getpid()) + ".pem") {
    net::WritePem(ca_, ca_file_);
    options_.tls.ca_file = ca_file_;
  }
  ~ProxyTlsTest() override { unlink(ca_file_.c_str()); }

  static apis::ApiOptions Secure(const FakeUpstream& upstream, const std::string& host) {
    apis::ApiOptions api = Demo(upstream);
    api.base_url = "https://" + host + ":" + std::to_string(upstream.port());
    return api;
  }

  // What a client gets from an upstream with this certificate under this host; checks that a refused upstream
  // has seen nothing.
  std::string AnswerThrough(const net::Identity& identity, const std::string& host,
                            int max_version = TLS1_3_VERSION) {
    const net::ServerContextPtr server = MakeServer(identity, max_version);
    std::atomic<bool> saw_request = false;
    FakeUpstream upstream(
        [&](Peer& peer) {
          if (peer.ReadHead().empty()) return;
          saw_request = true;
          peer.Send(kOk);
        },
        server.get());
    Start({Secure(upstream, host)});
    Peer client = Connect();
    client.Send(
        "GET /demo/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nConnection: "
        "close\r\n\r\n");
    std::string answer = client.ReadAll();
    proxy_.reset();
    EXPECT_EQ(saw_request.load(), answer.starts_with("HTTP/1.1 200"));
    return answer;
  }

  // Its status, and the error that its Proxy-Status names.
  std::string AskThrough(const net::Identity& identity, const std::string& host,
                         int max_version = TLS1_3_VERSION) {
    const std::string answer = AnswerThrough(identity, host, max_version);
    const size_t error = answer.find("error=");
    return error == std::string::npos
               ? answer.substr(9, 3)
               : answer.substr(9, 4) + answer.substr(error + 6, answer.find(';', error) - error - 6);
  }

  const net::Identity ca_ = net::MakeIdentity("", nullptr);
  const net::Identity good_ = net::MakeIdentity("DNS:localhost,IP:127.0.0.1", &ca_);
  const std::string ca_file_;
};

TEST_F(ProxyTlsTest, ACertificateOfTheConfiguredCaForTheRightNameIsBelieved) {
  EXPECT_EQ(AskThrough(good_, "localhost"), "200");
  EXPECT_EQ(AskThrough(good_, "127.0.0.1"), "200");
  EXPECT_EQ(AskThrough(good_, "localhost", TLS1_2_VERSION), "200");
}

TEST_F(ProxyTlsTest, AnyOtherCertificateIsRefusedBeforeARequestByteIsSent) {
  const net::Identity other_ca = net::MakeIdentity("", nullptr);
  EXPECT_EQ(AskThrough(net::MakeIdentity("DNS:localhost", nullptr), "localhost"),
            "502 tls_certificate_error");
  EXPECT_EQ(AskThrough(net::MakeIdentity("DNS:localhost", &other_ca), "localhost"),
            "502 tls_certificate_error");
  EXPECT_EQ(AskThrough(net::MakeIdentity("DNS:example.com", &ca_), "localhost"), "502 tls_certificate_error");
  EXPECT_EQ(AskThrough(net::MakeIdentity("DNS:localhost", &ca_), "127.0.0.1"), "502 tls_certificate_error");
  EXPECT_EQ(AskThrough(net::MakeIdentity("DNS:localhost", &ca_, -60), "localhost"),
            "502 tls_certificate_error");
  EXPECT_EQ(AskThrough(net::MakeIdentity("CN:localhost", &ca_), "localhost"), "502 tls_certificate_error");
  EXPECT_EQ(AskThrough(good_, "localhost", TLS1_1_VERSION), "502 tls_protocol_error");
}

TEST_F(ProxyTlsTest, AnUpstreamIsNotRefusedWithoutTheCause) {
  const auto expect = [&](const net::Identity& identity, const char* cause) {
    EXPECT_NE(AnswerThrough(identity, "localhost").find(cause), std::string::npos) << cause;
  };
  expect(net::MakeIdentity("DNS:localhost", &ca_, -60), ": certificate has expired");
  expect(net::MakeIdentity("DNS:example.com", &ca_), ": hostname mismatch");
  expect(net::MakeIdentity("DNS:localhost", nullptr), ": self-signed certificate");
}

TEST_F(ProxyTlsTest, AnUpstreamThatDoesNotSpeakTlsIsABadGateway) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadSome();
    peer.Send(kOk);
  });
  Start({Secure(upstream, "localhost")});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("}}\n").find("error=tls_protocol_error"), std::string::npos);
}

TEST_F(ProxyTlsTest, ASilentUpstreamTimesOutInItsOwnPhase) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  options_.tls_timeout = std::chrono::milliseconds(200);
  Start({Secure(upstream, "localhost")});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_TRUE(client.ReadUntil("}}\n").starts_with("HTTP/1.1 504 "));
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"demo tls_timeout", 1}}));
}

TEST_F(ProxyTlsTest, ALaterConnectionResumesTheSession) {
  const net::ServerContextPtr server = MakeServer(good_);
  FakeUpstream upstream(
      [&](Peer& peer) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
      },
      server.get());
  Start({Secure(upstream, "localhost")});
  for (int i = 0; i < 3; ++i) {
    Peer client = Connect();
    client.Send("GET /demo/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.ReadAll().ends_with("ok"));
  }
  EXPECT_EQ(SSL_CTX_sess_hits(server.get()), 2);
}

TEST_F(ProxyTlsTest, LongBodiesPassBothWaysWhole) {
  const net::ServerContextPtr server = MakeServer(good_);
  const std::string body(5'000'000, 'b');
  std::string seen;
  FakeUpstream upstream(
      [&](Peer& peer) {
        peer.ReadHead();
        seen = peer.Read(body.size());
        peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n");
        peer.Send(body);
      },
      server.get());
  Start({Secure(upstream, "localhost")});
  Peer client = Connect();
  client.Send("POST /demo/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  client.Send(body);
  client.ReadHead();
  EXPECT_EQ(client.Read(body.size()), body);
  EXPECT_EQ(seen, body);
}

TEST_F(ProxyTlsTest, AnEndWithoutCloseNotifyIsATruncation) {
  const net::ServerContextPtr server = MakeServer(good_);
  std::atomic<bool> properly = true;
  FakeUpstream upstream(
      [&](Peer& peer) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\n\r\nto the end");
        if (!properly) peer.Drop();
      },
      server.get());
  Start({Secure(upstream, "localhost")});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_TRUE(client.ReadUntil("0\r\n\r\n").ends_with("to the end\r\n0\r\n\r\n"));
  properly = false;
  client.Send(kGet);
  EXPECT_TRUE(client.ReadAll().ends_with("to the end\r\n"));
}

// A whole end of TLS ends both ways, and not before all has been passed on; half an end is a cut.
TEST_F(ProxyTlsTest, ATunnelEndsAsItsUpstreamEnds) {
  const net::ServerContextPtr server = MakeServer(good_, TLS1_3_VERSION);
  const std::string much(2 << 20, 'm');
  FakeUpstream upstream(
      [&](Peer& peer) {
        peer.ReadHead();
        peer.Send(std::string(kSwitched) + "first");
        const std::string asked = peer.ReadUntil("!");
        peer.Send(asked);
        asked == "drop!" ? peer.Drop() : peer.Close();
      },
      server.get());
  Start({Secure(upstream, "localhost")});
  for (const auto& [ask, end] :
       {std::pair(much + "!", Peer::End::kFin), std::pair(std::string("drop!"), Peer::End::kReset)}) {
    Peer client = Connect();
    client.Send(Handshake() + ask);
    EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 101 "));
    EXPECT_EQ(client.Read(5), "first");
    const std::string rest = client.ReadAll();
    EXPECT_TRUE(end == Peer::End::kReset || rest == ask) << rest.size();
    EXPECT_EQ(client.end(), end);
  }
}

TEST_F(ProxyTlsTest, ACaFileThatCantBeReadIsSaidAtTheStart) {
  options_.tls.ca_file = "/no/such.pem";
  const auto refused = Proxy::Start(options_, Routes({}), {RealClock(), ledger_, metrics_, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "proxy.tls.ca_file: no certificates can be read from the file; expected PEM");
}

}  // namespace
}  // namespace apiquota::proxy
