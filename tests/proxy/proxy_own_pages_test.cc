// The agent's own addresses on the proxy: /-/budget, and nothing else.
#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {
namespace {

class ProxyOwnPagesTest : public ProxyTest {
 protected:
  ProxyOwnPagesTest()
      : upstream_([](Peer& peer) {
          while (!peer.ReadHead().empty()) peer.Send(kOk);
        }) {}

  // With the API's key in the proxy, at `route`.
  void StartAt(std::string route, std::vector<std::string> hosts = {}, bool callers = true) {
    apis::ApiOptions api = Demo(upstream_);
    api.route = std::move(route);
    api.hosts = std::move(hosts);
    api.keys = {{.name = "ci", .value = Secret("sk-ci"), .account = {}, .inject_default = true}};
    std::vector<apis::CallerOptions> known;
    if (callers) {
      known = {{.name = "nightly", .token = Secret("tok-nightly"), .apis = {}},
               {.name = "batch", .token = Secret("tok-batch"), .apis = {}}};
    }
    apis::ApiOptions other = Demo(upstream_);
    other.name = "other";
    other.exporter = "anthropic";  // which looks for keys in x-api-key
    other.route = "/other";
    Start({api, other}, known);
  }

  std::string AskFor(const std::string& line, const std::string& fields,
                     const std::string& host = "localhost") {
    return Ask(line + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + fields + "\r\n");
  }
  std::string StatusOf(const std::string& line, const std::string& fields) {
    return AskFor(line, fields).substr(9, 3);
  }

  FakeUpstream upstream_;
};

constexpr char kNightly[] = "Authorization: Bearer tok-nightly\r\n";

TEST_F(ProxyOwnPagesTest, ACallerIsToldOfItsBudgetWhereverItsTokenMayStand) {
  StartAt("/demo");
  for (const std::string fields :
       {"Authorization: Bearer tok-nightly\r\n", "authorization: tok-nightly\r\n",
        "x-api-key: tok-nightly\r\n", "Authorization: Basic dG9rLW5pZ2h0bHk6\r\n"}) {
    const std::string answer = AskFor("GET /-/budget", fields);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << fields << answer;
    EXPECT_NE(answer.find("\"caller\": \"nightly\""), std::string::npos) << fields << answer;
    EXPECT_NE(answer.find("\r\nCache-Control: no-store\r\n"), std::string::npos) << answer;
  }
  EXPECT_NE(AskFor("GET /-/budget?x=1", kNightly).find("\"api\": \"demo\""), std::string::npos);
}

TEST_F(ProxyOwnPagesTest, WhoHasNoTokenOfACallerIsToldNothing) {
  StartAt("/demo");
  for (const std::string fields :
       {"", "Authorization: Bearer tok-nightl\r\n", "Authorization: Bearer sk-ci\r\n",
        "Cookie: tok-nightly\r\n", "X-Other: tok-nightly\r\n",
        "Authorization: Bearer tok-nightly\r\nx-api-key: tok-batch\r\n"}) {
    const std::string answer = AskFor("GET /-/budget", fields);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n")) << fields << answer;
    EXPECT_NE(answer.find("\r\nWWW-Authenticate: Bearer realm=\"apiquota\"\r\n"), std::string::npos)
        << answer;
  }
  EXPECT_EQ(Counts("apiquota_http_rejected_total"), (CountMap{{"own_token", 6}}));
}

TEST_F(ProxyOwnPagesTest, WithoutCallersNobodyHasABudget) {
  StartAt("/demo", {}, false);
  const std::string answer = AskFor("GET /-/budget", "");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 ")) << answer;
  EXPECT_NE(answer.find("no callers are configured"), std::string::npos) << answer;
}

TEST_F(ProxyOwnPagesTest, NoRouteTakesThemNotEvenThatOfAllPaths) {
  StartAt("/");
  EXPECT_NE(AskFor("GET /-/budget", kNightly).find("\"caller\": \"nightly\""), std::string::npos);
  EXPECT_EQ(StatusOf("GET /-/other", kNightly), "404");
  EXPECT_EQ(StatusOf("GET /-/", kNightly), "404");
  EXPECT_EQ(StatusOf("GET /-", kNightly), "404");
  EXPECT_EQ(StatusOf("GET /-x", kNightly), "200") << "the api's";
}

TEST_F(ProxyOwnPagesTest, EveryPathOfAHostOfAnApiIsThatApis) {
  StartAt("/demo", {"demo.localhost"});
  EXPECT_TRUE(AskFor("GET /-/budget", kNightly, "demo.localhost").ends_with("\r\n\r\nok"));
  EXPECT_TRUE(AskFor("GET /-/budget", kNightly).ends_with("}\n"));
}

TEST_F(ProxyOwnPagesTest, OnlyGetAndHeadAreAnswered) {
  StartAt("/demo");
  EXPECT_TRUE(AskFor("HEAD /-/budget", kNightly).ends_with("\r\n\r\n"));
  const std::string answer = AskFor("POST /-/budget", std::string(kNightly) + "Content-Length: 0\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << answer;
  EXPECT_NE(answer.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos) << answer;
}

TEST_F(ProxyOwnPagesTest, APageOfAnotherOriginIsRefused) {
  StartAt("/demo");
  EXPECT_EQ(StatusOf("GET /-/budget", std::string(kNightly) + "Origin: http://evil.example\r\n"), "403");
}

TEST_F(ProxyOwnPagesTest, AConnectionGoesOnBehindOne) {
  StartAt("/demo");
  Peer client = Connect();
  const std::string ask = std::string("GET /-/budget HTTP/1.1\r\nHost: localhost\r\n") + kNightly + "\r\n";
  client.Send(ask + "GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + kNightly +
              "\r\n");
  const std::string answers = client.ReadAll();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 200 OK\r\n")) << answers;
  EXPECT_NE(answers.find("}\nHTTP/1.1 200 OK\r\n"), std::string::npos) << answers;
}

class CallerWaitsOfProxyTest : public ProxyGuardTest {};

TEST_F(CallerWaitsOfProxyTest, WhatWaitsIsToldToItsCallerAndEndsWithTheRequest) {
  FakeUpstream upstream(Says({Reply("200 OK",
                                    "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\r\n"
                                    "x-ratelimit-reset-requests: 30s\r\n")}));
  callers_ = {{.name = "nightly", .token = Secret("tok-nightly"), .apis = {}}};
  StartGuarded(upstream, {});
  const std::string get =
      std::string("GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\n") + kNightly + "\r\n";
  const std::string budget =
      std::string("GET /-/budget HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n") + kNightly + "\r\n";
  Ask(get.substr(0, get.size() - 2) + "Connection: close\r\n\r\n");
  const auto told = [&](std::string_view words) {
    for (int i = 0; i < 400; ++i) {
      if (Ask(budget).find(words) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  };
  {
    Peer waits = Connect();
    waits.Send(get);
    EXPECT_TRUE(told("\"waiting\": 1"));
  }
  EXPECT_TRUE(told("\"waiting\": 0"));
}

}  // namespace
}  // namespace apiquota::proxy
