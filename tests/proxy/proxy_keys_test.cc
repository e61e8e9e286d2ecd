// Whose key goes upstream, who may ask for it, and what is counted for whom.
#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

class ProxyKeysTest : public ProxyTest {
 protected:
  ProxyKeysTest()
      : upstream_([this](Peer& peer) {
          for (std::string head; !(head = peer.ReadHead()).empty();) {
            const std::lock_guard lock(mutex_);
            seen_ = head;
            peer.Send(kOk);
          }
        }) {}

  apis::ApiOptions Keyed(bool inject) {
    apis::ApiOptions api = Demo(upstream_);
    api.keys.push_back({.name = "ci", .value = Secret("sk-ci"), .account = {}, .inject_default = inject});
    return api;
  }

  // Asks with these fields; the credential fields the upstream saw, or the proxy's own refusal.
  std::string AskWith(const std::string& fields) {
    const std::string answer = Ask(
        "GET /demo/v1/models HTTP/1.1\r\nHost: localhost:4290\r\nConnection: close\r\n" + fields + "\r\n");
    const size_t rule = answer.find("\"rule\":\"");
    if (rule != std::string::npos) {
      return answer.substr(9, 3) + " " + answer.substr(rule + 8, answer.find('"', rule + 8) - rule - 8);
    }
    const std::lock_guard lock(mutex_);
    const std::string begin = "GET /v1/models HTTP/1.1\r\nHost: " + upstream_.authority() + "\r\n";
    const std::string end = "Via: 1.1 apiquota\r\n\r\n";
    EXPECT_TRUE(seen_.starts_with(begin) && seen_.ends_with(end)) << seen_;
    return seen_.substr(begin.size(), seen_.size() - begin.size() - end.size());
  }

  std::mutex mutex_;
  std::string seen_;
  FakeUpstream upstream_;
};

TEST_F(ProxyKeysTest, ACredentialPassesThroughAndIsCountedUnderItsFingerprint) {
  Start({Demo(upstream_)});
  EXPECT_EQ(AskWith("Authorization: Bearer sk-test\r\n"), "Authorization: Bearer sk-test\r\n");
  EXPECT_EQ(AskWith(""), "");
  const std::string name = net::Fingerprinter(Secret("0123456789abcdef")).Of("sk-test");
  EXPECT_EQ(CountsOnce("apiquota_upstream_requests_total", 2),
            (CountMap{{"demo " + name + "  GET 200 proxy", 1}, {"demo anonymous  GET 200 proxy", 1}}));
}

TEST_F(ProxyKeysTest, AConfiguredKeyThatAClientSendsItselfIsCountedUnderItsAlias) {
  Start({Keyed(false)});
  EXPECT_EQ(AskWith("Authorization: Bearer sk-ci\r\n"), "Authorization: Bearer sk-ci\r\n");
  EXPECT_EQ(CountsOnce("apiquota_upstream_requests_total", 1), (CountMap{{"demo ci  GET 200 proxy", 1}}));
}

TEST_F(ProxyKeysTest, WithoutCallersEverybodyOnThisMachineGetsTheDefaultKey) {
  Start({Keyed(true)});
  EXPECT_EQ(AskWith("Authorization: Bearer unused\r\n"), "authorization: Bearer sk-ci\r\n");
  EXPECT_EQ(AskWith(""), "authorization: Bearer sk-ci\r\n");
  EXPECT_EQ(AskWith("Connection: Authorization\r\n"), "authorization: Bearer sk-ci\r\n");
}

TEST_F(ProxyKeysTest, WithCallersOnlyTheirTokensAreReplacedByAKey) {
  apis::ApiOptions other = Demo(upstream_);
  other.name = "other";
  other.route = "/other";
  Start({Keyed(true), other}, {{.name = "nightly", .token = Secret("tok-nightly"), .apis = {}},
                               {.name = "elsewhere", .token = Secret("tok-else"), .apis = {"other"}}});
  EXPECT_EQ(AskWith("Authorization: Bearer tok-nightly\r\n"), "authorization: Bearer sk-ci\r\n");
  EXPECT_EQ(AskWith("Authorization: Bearer tok-else\r\n"), "403 caller");
  EXPECT_EQ(AskWith("Authorization: Bearer sk-own\r\n"), "Authorization: Bearer sk-own\r\n");
  EXPECT_EQ(AskWith(""), "");
  const std::string own = net::Fingerprinter(Secret("0123456789abcdef")).Of("sk-own");
  EXPECT_EQ(CountsOnce("apiquota_upstream_requests_total", 3),
            (CountMap{{"demo ci nightly GET 200 proxy", 1},
                      {"demo " + own + "  GET 200 proxy", 1},
                      {"demo anonymous  GET 200 proxy", 1}}));
}

TEST_F(ProxyKeysTest, ACallersTokenIsStrippedWhereThereIsNoKeyToPutInItsPlace) {
  Start({Demo(upstream_)}, {{.name = "nightly", .token = Secret("tok-nightly"), .apis = {}}});
  EXPECT_EQ(AskWith("Authorization: Bearer tok-nightly\r\n"), "");
}

TEST_F(ProxyKeysTest, ACallersTokenNeverReachesTheUpstreamInAnotherPlace) {
  Start({Keyed(true)}, {{.name = "nightly", .token = Secret("tok-nightly"), .apis = {}}});
  EXPECT_EQ(AskWith("Authorization: Basic eDp0b2stbmlnaHRseQ==\r\n"), "authorization: Bearer sk-ci\r\n");
  EXPECT_EQ(AskWith("X-Api-Key: tok-nightly\r\n"), "403 token_leak");
  EXPECT_EQ(AskWith("Authorization: Bearer tok-nightly\r\nCookie: a=tok%2Dnightly\r\n"), "403 token_leak");
  EXPECT_EQ(AskWith("Authorization: Bearer sk-own\r\nAuthorization: Bearer tok-nightly\r\n"),
            "400 credentials");
  EXPECT_EQ(Ask("GET /demo/v1?key=tok-nightly HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .substr(9, 3),
            "403");
  EXPECT_EQ(Counts("apiquota_http_rejected_total"), (CountMap{{"credentials", 1}, {"token_leak", 3}}));
}

TEST_F(ProxyKeysTest, AKeyForTheQueryReplacesWhatTheClientPutThereAndNothingElse) {
  apis::ApiOptions api = Keyed(true);
  api.exporter = "openweather";
  Start({api});
  const auto asked = [this](const std::string& target) {
    Ask("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::lock_guard lock(mutex_);
    return seen_.substr(0, seen_.find("\r\n"));
  };
  EXPECT_EQ(asked("/demo/x?q=a%2fb&appid=dummy"), "GET /x?q=a%2fb&appid=sk-ci HTTP/1.1");
  EXPECT_EQ(asked("/demo/x"), "GET /x?appid=sk-ci HTTP/1.1");
}

TEST_F(ProxyKeysTest, ASignedTargetPassesByteForByte) {
  apis::ApiOptions api = Keyed(false);
  api.exporter = "openweather";
  Start({api}, {{.name = "nightly", .token = Secret("tok-nightly"), .apis = {}}});
  Ask("GET /demo/x?&X-Amz-Signature=a%2fb%2F&&APPID=%61&z= HTTP/1.1\r\nHost: localhost\r\nConnection: "
      "close\r\n\r\n");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(seen_.substr(0, seen_.find("\r\n")), "GET /x?&X-Amz-Signature=a%2fb%2F&&APPID=%61&z= HTTP/1.1");
}

TEST_F(ProxyKeysTest, PagesOfOtherOriginsCantUseInjectedKeys) {
  Start({Keyed(true)});
  EXPECT_EQ(AskWith("Origin: https://evil.example\r\n"), "403 origin");
  EXPECT_EQ(AskWith("Origin: null\r\n"), "403 origin");
  EXPECT_EQ(AskWith("Sec-Fetch-Site: cross-site\r\n"), "403 origin");
  EXPECT_EQ(
      AskWith("Origin: http://localhost:4290\r\nSec-Fetch-Site: same-origin\r\n"),
      "Origin: http://localhost:4290\r\nSec-Fetch-Site: same-origin\r\nauthorization: Bearer sk-ci\r\n");
}

TEST_F(ProxyKeysTest, WithTheirOwnCredentialOtherOriginsMayAsk) {
  Start({Demo(upstream_)});
  EXPECT_EQ(AskWith("Origin: https://app.example\r\n"), "Origin: https://app.example\r\n");
}

TEST_F(ProxyKeysTest, OnlyNamesOfThisMachineAreServed) {
  options_.hosts = {"agent.internal"};
  Start({Demo(upstream_)});
  const auto ask = [this](const std::string& host) {
    return Ask("GET /demo/ HTTP/1.1\r\nConnection: close\r\nHost: " + host + "\r\n\r\n").substr(9, 3);
  };
  for (const char* host :
       {"localhost", "LOCALHOST:1", "127.0.0.1:4290", "[::1]:4290", "a.localhost", "agent.internal:9"}) {
    EXPECT_EQ(ask(host), "200") << host;
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "10.0.0.1", "agent.internal.evil"}) {
    EXPECT_EQ(ask(host), "421") << host;
  }
  EXPECT_EQ(Ask("GET http://evil.example/demo/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .substr(9, 3),
            "421");
}

TEST_F(ProxyKeysTest, ARequestThatComesBackIsALoop) {
  Start({Demo(upstream_)});
  EXPECT_EQ(AskWith("Via: 1.1 other, 1.1 apiquota\r\n"), "508 loop");
  EXPECT_EQ(AskWith("Via: 1.1 apiquota-0000002a\r\n"), "Via: 1.1 apiquota-0000002a\r\n")
      << "of another agent";
}

TEST_F(ProxyKeysTest, AnUnknownPathNamesTheKnownRoutes) {
  apis::ApiOptions nested = Demo(upstream_);
  nested.name = "nested";
  nested.route = "/demo/deep";
  Start({Demo(upstream_), nested});
  const std::string answer = Ask("GET /demos HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.ends_with(
      "{\"error\":{\"source\":\"apiquota\",\"rule\":\"no_route\",\"message\":\"no configured api "
      "has this path; known routes: /demo, /demo/deep\"}}\n"))
      << answer;
}

}  // namespace
}  // namespace apiquota::proxy
