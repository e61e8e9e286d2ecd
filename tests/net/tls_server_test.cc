#include <gtest/gtest.h>

#include <array>

#include "tests/net/certificates.h"
#include "tests/net/peer.h"
#include "tests/net/served_stream.h"

namespace apiquota::net {
namespace {

constexpr std::string_view kHello = "hello";

class TlsServerTest : public testing::Test {
 protected:
  TlsServerTest() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    base_ = testing::TempDir() + name;
    options_.cert_file = base_ + ".crt";
    options_.key_file = base_ + ".key";
    WriteServer(MakeIdentity("DNS:localhost", &authority_));
    WritePem(authority_, base_ + ".ca");
  }

  void WriteServer(const Identity& identity) {
    WritePem(identity, options_.cert_file);
    WriteKeyPem(identity, options_.key_file);
  }

  void Make() {
    auto made = TlsServer::Create(options_);
    ASSERT_TRUE(made) << made.error().message;
    server_ = std::move(*made);
  }

  std::string WhyNot() {
    auto made = TlsServer::Create(options_);
    return made ? "" : made.error().message;
  }

  // Whether a client that shows `identity` is let in: it hears our greeting.
  bool LetsIn(SSL_CTX* client) {
    ServedStream served({"127.0.0.1", 0}, server_.get());
    served.Greeting(std::string(kHello)).Start();
    Peer peer = Peer::Connect(served.port());
    return peer.ConnectTls(client) && peer.Read(kHello.size()) == kHello;
  }
  bool LetsInWith(const Identity* identity) { return LetsIn(MakeClient(identity).get()); }

  std::string base_;
  Identity authority_ = MakeIdentity("", nullptr);
  TlsServerOptions options_;
  std::unique_ptr<TlsServer> server_;
};

TEST_F(TlsServerTest, EachPolicyAsksForWhatItSays) {
  const Identity trusted = MakeIdentity("DNS:client", &authority_);
  const Identity stranger = MakeIdentity("DNS:client", nullptr);
  struct Case {
    ClientAuth policy;
    bool without, with_strange, with_trusted;
  };
  constexpr std::array kCases = {
      Case{ClientAuth::kNone, true, true, true},
      Case{ClientAuth::kRequest, true, true, true},
      Case{ClientAuth::kRequireAny, false, true, true},
      Case{ClientAuth::kVerifyIfGiven, true, false, true},
      Case{ClientAuth::kRequireAndVerify, false, false, true},
  };
  for (const Case& c : kCases) {
    options_.client_auth = c.policy;
    options_.client_ca_file = c.policy == ClientAuth::kNone ? "" : base_ + ".ca";
    Make();
    EXPECT_EQ(LetsInWith(nullptr), c.without) << int(c.policy);
    EXPECT_EQ(LetsInWith(&stranger), c.with_strange) << int(c.policy);
    EXPECT_EQ(LetsInWith(&trusted), c.with_trusted) << int(c.policy);
  }
}

TEST_F(TlsServerTest, AClientWhoseNamesAreNotAllowedIsRefused) {
  options_.client_auth = ClientAuth::kRequireAndVerify;
  options_.client_ca_file = base_ + ".ca";
  options_.client_allowed_sans = {"scraper.example", "spiffe://cluster/agent", "a@example.com", "10.0.0.7"};
  Make();
  for (const char* name :
       {"DNS:x,DNS:scraper.example", "URI:spiffe://cluster/agent", "email:a@example.com", "IP:10.0.0.7"}) {
    const Identity client = MakeIdentity(name, &authority_);
    EXPECT_TRUE(LetsInWith(&client)) << name;
  }
  for (const char* name : {"DNS:other.scraper.example", "URI:scraper.example/", "IP:10.0.0.70"}) {
    const Identity client = MakeIdentity(name, &authority_);
    EXPECT_FALSE(LetsInWith(&client)) << name;
  }
}

TEST_F(TlsServerTest, VersionsAndSuitesAreWhatTheOptionsSay) {
  options_.min_version = TlsVersion::k13;
  Make();
  EXPECT_FALSE(LetsIn(MakeClient(nullptr, TLS1_2_VERSION).get()));
  EXPECT_TRUE(LetsInWith(nullptr));
  options_.min_version = options_.max_version = TlsVersion::k12;
  options_.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
  Make();
  const ServerContextPtr client = MakeClient(nullptr);
  EXPECT_TRUE(LetsIn(client.get()));
  SSL_CTX_set_cipher_list(client.get(), "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_FALSE(LetsIn(client.get()));
}

TEST_F(TlsServerTest, NothingOlderThanTls12IsSpoken) {
  Make();
  const ServerContextPtr client = MakeClient(nullptr, TLS1_1_VERSION);
  SSL_CTX_set_security_level(client.get(), 0);
  SSL_CTX_set_min_proto_version(client.get(), TLS1_VERSION);
  EXPECT_FALSE(LetsIn(client.get()));
}

TEST_F(TlsServerTest, Http11IsChosenAndH2AloneIsRefused) {
  Make();
  const ServerContextPtr both = MakeClient(nullptr);
  SSL_CTX_set_alpn_protos(both.get(), reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
  ServedStream served({"127.0.0.1", 0}, server_.get());
  served.Start();
  Peer peer = Peer::Connect(served.port());
  ASSERT_TRUE(peer.ConnectTls(both.get()));
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(peer.ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");

  const ServerContextPtr h2 = MakeClient(nullptr);
  SSL_CTX_set_alpn_protos(h2.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  EXPECT_FALSE(LetsIn(h2.get()));
}

TEST_F(TlsServerTest, RenegotiationIsRefused) {
  Make();
  ServedStream served({"127.0.0.1", 0}, server_.get());
  served.Greeting(std::string(kHello)).Start();
  Peer peer = Peer::Connect(served.port());
  ASSERT_TRUE(peer.ConnectTls(MakeClient(nullptr, TLS1_2_VERSION).get()));
  ASSERT_EQ(peer.Read(kHello.size()), kHello);
  SSL_renegotiate(peer.ssl());
  EXPECT_NE(SSL_do_handshake(peer.ssl()), 1);
}

TEST_F(TlsServerTest, PlainHttpOnATlsPortEndsAsAFailedHandshake) {
  Make();
  ServedStream served({"127.0.0.1", 0}, server_.get());
  served.Start();
  Peer peer = Peer::Connect(served.port());
  peer.Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(served.WaitForEnd(), StreamEnd::kHandshakeFailed);
}

// The serial number of what a handshake would show now.
long SerialAt(TlsServer& server, SteadyTime now) {
  const TlsContext context = server.Context(now);
  return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_CTX_get0_certificate(context.get())));
}
long SerialOf(const Identity& identity) {
  return ASN1_INTEGER_get(X509_get0_serialNumber(identity.certificate.get()));
}

TEST_F(TlsServerTest, AChangedCertificateIsUsedAfterASecondAtMost) {
  const Identity first = MakeIdentity("DNS:first", &authority_);
  const Identity second = MakeIdentity("DNS:second.example", &authority_);
  WriteServer(first);
  Make();
  const SteadyTime start = RealClock().SteadyNow();
  EXPECT_EQ(SerialAt(*server_, start), SerialOf(first));
  WriteServer(second);
  EXPECT_EQ(SerialAt(*server_, start + std::chrono::milliseconds(999)), SerialOf(first))
      << "looked at once a second";
  EXPECT_EQ(SerialAt(*server_, start + std::chrono::seconds(1)), SerialOf(second));
}

TEST_F(TlsServerTest, ACertificateThatCannotBeUsedLeavesTheOldOne) {
  const Identity first = MakeIdentity("DNS:first", &authority_);
  const Identity second = MakeIdentity("DNS:second.example", &authority_);
  WriteServer(first);
  Make();
  SteadyTime now = RealClock().SteadyNow();
  testing::internal::CaptureStderr();
  WritePem(second, options_.cert_file);  // its key is still to come
  for (int i = 0; i < 5; ++i) EXPECT_EQ(SerialAt(*server_, now += std::chrono::seconds(1)), SerialOf(first));
  const std::string log = testing::internal::GetCapturedStderr();
  const size_t line = log.find("event=certificate_not_renewed");
  EXPECT_NE(line, std::string::npos);
  EXPECT_EQ(log.find("event=certificate_not_renewed", line + 1), std::string::npos) << "told once:\n" << log;
  WriteKeyPem(second, options_.key_file);
  EXPECT_EQ(SerialAt(*server_, now += std::chrono::seconds(1)), SerialOf(second));
}

TEST_F(TlsServerTest, WhatIsWrongIsSaidInOneSentence) {
  const Identity other = MakeIdentity("DNS:other", nullptr);
  WriteKeyPem(other, options_.key_file);
  EXPECT_EQ(
      WhyNot(),
      "tls_server_config.key_file is not the key of the first certificate in tls_server_config.cert_file");
  options_.key_file = options_.cert_file;
  EXPECT_EQ(WhyNot(),
            "tls_server_config.key_file: no private key can be read, expected PEM without a passphrase");
  options_.key_file = base_ + ".none";
  EXPECT_EQ(WhyNot(), "tls_server_config.key_file: cannot read the file: No such file or directory");
  options_.cert_file = "";
  options_.cert = "nothing";
  options_.key_file = base_ + ".key";
  EXPECT_EQ(WhyNot(), "tls_server_config.cert: no certificate can be read, expected PEM");
}

// An end waits behind unread bytes; a reset, which loses them, does not.
TEST_F(TlsServerTest, AResetIsToldToATunnelThatReadsNothing) {
  Make();
  ServedStream served({"127.0.0.1", 0}, server_.get());
  served.Greeting(std::string(kHello)).Start();
  Peer peer = Peer::Connect(served.port());
  ASSERT_TRUE(peer.ConnectTls(MakeClient(nullptr).get()) && peer.Read(kHello.size()) == kHello);
  served.Do([](Stream& stream) {
    stream.AllowHalfOpen();
    stream.Pause();
  });
  peer.Send("unread");
  peer.Reset();
  EXPECT_EQ(served.WaitForEnd(), StreamEnd::kReset);
}

}  // namespace
}  // namespace apiquota::net
