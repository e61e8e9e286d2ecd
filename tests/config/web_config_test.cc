#include "config/web_config.h"

#include <algorithm>

#include "tests/config/fixture.h"

namespace apiquota::config {
namespace {

constexpr std::string_view kHash = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";

// "" if it loads.
std::string Complaint(const std::string& text) {
  const auto loaded = LoadWebConfig(text, "dir/web.yml", Context());
  return loaded ? "" : loaded.error().message;
}

TEST(WebConfigTest, EveryKeyOfTheToolkitIsRead) {
  const auto loaded = LoadWebConfig(R"(
tls_server_config:
  cert_file: server.crt
  key_file: /etc/server.key
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [scraper.example, 10.0.0.7]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  curve_preferences: [X25519, CurveP256]
  prefer_server_cipher_suites: false
http_server_config:
  http2: true
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=1
    Content-Security-Policy: ""
basic_auth_users:
  alice: )" + std::string(kHash) + R"(
rate_limit:
  interval: 250ms
  burst: 20
)",
                                    "dir/web.yml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  net::WebOptions expected;
  net::TlsServerOptions& tls = expected.tls.emplace();
  tls.cert_file = "dir/server.crt";
  tls.key_file = "/etc/server.key";
  tls.client_ca_file = "dir/ca.pem";
  tls.client_auth = net::ClientAuth::kRequireAndVerify;
  tls.client_allowed_sans = {"scraper.example", "10.0.0.7"};
  tls.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
  tls.curves = {"X25519", "P-256"};
  tls.prefer_server_cipher_suites = false;
  expected.http2_asked_for = true;
  expected.headers = {{"Strict-Transport-Security", "max-age=1"}, {"X-Frame-Options", "deny"}};
  expected.users = {{"alice", Secret(std::string(kHash))}};
  expected.rate_limit = {std::chrono::milliseconds(250), 20};
  EXPECT_EQ(*loaded, expected);
}

TEST(WebConfigTest, NothingIsAskedForByAnEmptyFile) {
  for (const char* text : {"", "# nothing\n", "tls_server_config: {}\n", "rate_limit: {interval: 0}\n"}) {
    const auto loaded = LoadWebConfig(text, "web.yml", Context());
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(*loaded, net::WebOptions{}) << text;
  }
}

TEST(WebConfigTest, CertificatesMayStandInTheFile) {
  const auto loaded = LoadWebConfig(
      "tls_server_config:\n  cert: |\n    one\n    two\n  key: |\n    three\n  client_ca: x\n"
      "  client_auth_type: VerifyClientCertIfGiven\n",
      "web.yml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->tls->cert, "one\ntwo\n");
  EXPECT_EQ(loaded->tls->key.Reveal(), "three\n");
  EXPECT_EQ(loaded->tls->client_ca, "x");
}

TEST(WebConfigTest, SuitesOfTls13AloneMeanTls13Alone) {
  const auto loaded =
      LoadWebConfig("tls_server_config: {cert_file: a, key_file: b, cipher_suites: [TLS_AES_128_GCM_SHA256]}",
                    "web.yml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->tls->min_version, net::TlsVersion::k13);
}

TEST(WebConfigTest, MistakesAreToldWithTheirPlace) {
  const std::string tls = "tls_server_config: {cert_file: a, key_file: b, ";
  const std::pair<std::string, std::string> cases[] = {
      {"tls_sever_config: {}", ":1:1: unknown key \"tls_sever_config\"; did you mean \"tls_server_config\"?"},
      {"tls_server_config: {key_file: b}", ":1:20: \"cert_file\" (or \"cert\") is missing here"},
      {"tls_server_config: {cert_file: b}", ":1:20: \"key_file\" (or \"key\") is missing here"},
      {tls + "cert: x}", ":1:32: expected either cert or cert_file, not both"},
      {tls + "min_version: TLS11}",
       ":1:61: TLS before 1.2 is not spoken here (RFC 8996); expected TLS12 or TLS13"},
      {tls + "min_version: TLS13, max_version: TLS12}", ":1:20: min_version is above max_version"},
      {tls + "client_ca_file: c}",
       ":1:20: client CAs are named and no client is asked for a certificate; expected client_auth_type: "
       "RequireAndVerifyClientCert"},
      {tls + "client_auth_type: RequestClientCert, client_allowed_sans: [a]}",
       ":1:106: client_allowed_sans needs client_auth_type RequireAndVerifyClientCert or "
       "RequireAnyClientCert"},
      {"http_server_config: {headers: {Server: x}}",
       ":1:32: unknown key; known here: Content-Security-Policy, Strict-Transport-Security, "
       "X-Content-Type-Options, X-Frame-Options, X-XSS-Protection"},
      {"http_server_config: {headers: {X-Frame-Options: allow}}", ":1:49: expected deny or sameorigin"},
      {"basic_auth_users: {\"a:b\": \"" + std::string(kHash) + "\"}",
       ":1:27: a user's name can't be empty or hold a colon (RFC 7617 2)"},
      {"rate_limit: {interval: 1s}",
       ":1:13: a rate limit without a burst lets nothing through; expected burst: 1 or more"},
  };
  for (const auto& [text, complaint] : cases) EXPECT_EQ(Complaint(text), "dir/web.yml" + complaint) << text;
}

TEST(WebConfigTest, NoHashAndNoPasswordEntersAMessage) {
  for (const char* text : {"basic_auth_users: {alice: hunter2}", "basic_auth_users: hunter2",
                           "basic_auth_users: [hunter2]", "basic_auth_users: {alice: [hunter2]}"}) {
    EXPECT_NE(Complaint(text), "") << text;
    EXPECT_EQ(Complaint(text).find("hunter2"), std::string::npos) << Complaint(text);
  }
}

TEST(WebConfigTest, ACertificateThatCannotBeUsedIsAMistakeOfTheFile) {
  LoadContext context = Context();
  context.check_tls_server = [](const net::TlsServerOptions& tls) -> Status {
    return Fail(tls.cert_file + "?");
  };
  const auto loaded = LoadWebConfig("tls_server_config: {cert_file: a, key_file: b}", "dir/web.yml", context);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "dir/web.yml:1:20: dir/a?");
}

TEST(WebConfigTest, TheProxyTakesTlsAlone) {
  const std::string tls = "tls_server_config: {cert_file: a, key_file: b}\n";
  EXPECT_TRUE(CheckForProxy(*LoadWebConfig(tls, "w.yml", Context())));
  for (const std::string& more : {"basic_auth_users: {a: " + std::string(kHash) + "}",
                                  std::string("rate_limit: {interval: 1s, burst: 1}"),
                                  std::string("http_server_config: {headers: {X-Frame-Options: deny}}")}) {
    EXPECT_FALSE(CheckForProxy(*LoadWebConfig(tls + more, "w.yml", Context()))) << more;
  }
}

}  // namespace
}  // namespace apiquota::config
