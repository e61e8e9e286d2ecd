#include "tests/net/certificates.h"
#include "tests/net/http_client_kit.h"

namespace apiquota::net {
namespace {

class HttpClientTlsTest : public HttpClientTest {
 protected:
  HttpClientTlsTest() {
    const Identity authority = MakeIdentity("", nullptr);
    good_ = MakeServer(MakeIdentity("DNS:localhost,IP:127.0.0.1", &authority));
    other_ = MakeServer(MakeIdentity("DNS:example.com", &authority));
    expired_ = MakeServer(MakeIdentity("IP:127.0.0.1", &authority, -60));
    alone_ = MakeServer(MakeIdentity("IP:127.0.0.1", nullptr));
    file_ = testing::TempDir() + "http_client_ca.pem";
    WritePem(authority, file_);
  }

  ClientResult AskTls(SSL_CTX* server) {
    FakeUpstream upstream(Answering(std::string(kOk)), server);
    ClientRequest request = To(upstream);
    request.url.replace(0, 4, "https");
    return Ask(request);
  }

  ServerContextPtr good_, other_, expired_, alone_;
  std::string file_;
};

TEST_F(HttpClientTlsTest, OnlyACertificateOfATrustedSignerForThisNameWillDo) {
  Make({.tls = {file_}});
  EXPECT_EQ(AskTls(good_.get()).status, 200);
  EXPECT_EQ(AskTls(other_.get()).error, ClientError::kCertificate);
  EXPECT_EQ(AskTls(expired_.get()).error, ClientError::kCertificate);
  EXPECT_EQ(AskTls(alone_.get()).error, ClientError::kCertificate);
  EXPECT_EQ(sent_, 1) << "no credential leaves before the certificate is trusted";
}

TEST_F(HttpClientTlsTest, WithoutAFileTheSystemsSignersAreTrusted) {
  Make();
  EXPECT_EQ(AskTls(good_.get()).error, ClientError::kCertificate);
}

}  // namespace
}  // namespace apiquota::net
