#include "tests/net/http_client_kit.h"
#include "tests/source/certificates.h"

namespace apiquota::net {
namespace {

class HttpClientTlsTest : public HttpClientTest {
 protected:
  HttpClientTlsTest() {
    const source::Identity authority = source::MakeIdentity("", nullptr);
    good_ = source::MakeServer(source::MakeIdentity("DNS:localhost,IP:127.0.0.1", &authority));
    other_ = source::MakeServer(source::MakeIdentity("DNS:example.com", &authority));
    expired_ = source::MakeServer(source::MakeIdentity("IP:127.0.0.1", &authority, -60));
    alone_ = source::MakeServer(source::MakeIdentity("IP:127.0.0.1", nullptr));
    file_ = testing::TempDir() + "http_client_ca.pem";
    source::WritePem(authority, file_);
  }

  ClientResult AskTls(SSL_CTX* server) {
    source::FakeUpstream upstream(Answering(std::string(kOk)), server);
    ClientRequest request = To(upstream);
    request.url.replace(0, 4, "https");
    return Ask(request);
  }

  source::ServerContextPtr good_, other_, expired_, alone_;
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
