// Answers from memory, through a real proxy.
#include <string>

#include "tests/proxy/cache_kit.h"

namespace apiquota::proxy {
namespace {

const std::string kFresh = Reply("200 OK", "Cache-Control: max-age=60\r\nContent-Type: application/json\r\n");

TEST_F(ProxyCacheTest, WhatIsFreshIsNotAskedForAgain) {
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: max-age=60\r\n", R"({"a":1})")}));
  StartCached(upstream);
  for (int i = 0; i < 5; ++i) {
    const std::string answer = Ask(Get("/v1/models?page=2"));
    EXPECT_EQ(StatusOf(answer), "HTTP/1.1 200 OK") << answer;
    EXPECT_EQ(BodyOf(answer), R"({"a":1})");
    EXPECT_EQ(answer.find("Age: ") != std::string::npos, i > 0) << answer;
  }
  Ask(Get("/v1/models?page=3"));
  EXPECT_EQ(asked(), 2U);
  ExpectResults({{"demo hit", 4}, {"demo miss", 2}});
  EXPECT_EQ(Counts("apiquota_quota_saved_total"), (CountMap{{"demo requests", 4}}));
  EXPECT_EQ(CountsOnce("apiquota_proxy_requests_total", 1), (CountMap{{"demo 200", 6}}));
  EXPECT_EQ(Counts("apiquota_upstream_requests_total").size(), 1U);
}

TEST_F(ProxyCacheTest, AHitLeavesTheConnectionToTheNextRequest) {
  FakeUpstream upstream(Says({kFresh}));
  StartCached(upstream);
  Peer client = Connect();
  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    client.Send(kGet);  // behind it, without waiting
    for (int j = 0; j < 2; ++j) {
      EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 200 OK"));
      EXPECT_EQ(client.Read(2), "{}");
    }
  }
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCacheTest, HeadIsAnsweredFromWhatGetWas) {
  FakeUpstream upstream(Says({kFresh}));
  StartCached(upstream);
  Ask(Get("/v1/models"));
  const std::string answer = Ask(Get("/v1/models", {}, "HEAD"));
  EXPECT_NE(answer.find("Content-Length: 2\r\n"), std::string::npos) << answer;
  EXPECT_EQ(BodyOf(answer), "");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCacheTest, AClientThatHasTheAnswerIsToldSo) {
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: max-age=60\r\nETag: \"x\"\r\n")}));
  StartCached(upstream);
  Ask(Get("/v1/models"));
  const std::string answer = Ask(Get("/v1/models", "If-None-Match: \"x\"\r\n"));
  EXPECT_EQ(StatusOf(answer), "HTTP/1.1 304 Not Modified");
  EXPECT_EQ(BodyOf(answer), "");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCacheTest, APolledListIsAskedForOnceAndThenConfirmed) {
  const std::string not_modified =
      "HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=0\r\nETag: \"v1\"\r\n\r\n";
  FakeUpstream upstream(
      Says({Reply("200 OK", "Cache-Control: max-age=0\r\nETag: \"v1\"\r\n", "[1]"), not_modified}));
  StartCached(upstream);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), 60U);
  size_t conditional = 0;
  for (const std::string& request : requests())
    conditional += request.find("If-None-Match: \"v1\"\r\n") != std::string::npos ? 1 : 0;
  EXPECT_EQ(conditional, 59U);
  ExpectResults({{"demo miss", 1}, {"demo revalidated", 59}});
}

TEST_F(ProxyCacheTest, TheClientsOwnConditionIsAskedOfWhatIsKept) {
  FakeUpstream upstream([](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      const bool has_it = head.find("If-None-Match: \"v1\"\r\n") != std::string::npos;
      peer.Send(has_it ? "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"
                       : Reply("200 OK", "Cache-Control: max-age=0\r\nETag: \"v1\"\r\n", "[1]"));
    }
  });
  StartCached(upstream);
  Ask(Get("/v1/models"));
  // It has an older one: what the API confirms is not what the client has.
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models", "If-None-Match: \"v0\"\r\n"))), "[1]");
  EXPECT_EQ(StatusOf(Ask(Get("/v1/models", "If-None-Match: \"v1\"\r\n"))), "HTTP/1.1 304 Not Modified");
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
}

TEST_F(ProxyCacheTest, NobodyGetsWhatWasSomebodyElses) {
  FakeUpstream upstream(Says({kFresh}));
  StartCached(upstream);
  const std::vector<std::string> owners = {"Authorization: Bearer a\r\n",
                                           "Authorization: Bearer b\r\n",
                                           "",
                                           "Cookie: session=1\r\n",
                                           "Cookie: session=2\r\n",
                                           "X-Api-Key: a\r\n",
                                           "X-Api-Key: b\r\n",
                                           "OpenAI-Organization: one\r\n",
                                           "OpenAI-Project: two\r\n",
                                           "X-Service-Token: a\r\n",
                                           "Sudo: alice\r\n",
                                           "Sudo: bob\r\n",
                                           "Impersonate-User: alice\r\n",
                                           "X-Forwarded-User: alice\r\n",
                                           "X-Forwarded-Email: alice@example.com\r\n",
                                           "X-Password: a\r\n",
                                           "X-Role: admin\r\n",
                                           "X-Org-Id: 1\r\n",
                                           "X-Forwarded-Host: evil.example\r\n",
                                           "X-Forwarded-Proto: http\r\n",
                                           "X-Original-URL: /admin\r\n",
                                           "X-HTTP-Method-Override: DELETE\r\n"};
  for (int round = 0; round < 2; ++round) {
    for (const std::string& owner : owners) Ask(Get("/v1/models", owner));
  }
  EXPECT_EQ(asked(), owners.size());
}

TEST_F(ProxyCacheTest, CallersOfOneKeyShareWhatItMaySee) {
  keys_ = {{.name = "prod", .value = Secret("sk-prod-1234567890"), .account = {}, .inject_default = true}};
  FakeUpstream upstream(Says({kFresh}));
  StartCached(upstream, {}, JustCache(),
              {{.name = "one", .token = Secret("token-of-the-one"), .apis = {}},
               {.name = "two", .token = Secret("token-of-the-two"), .apis = {}}});
  EXPECT_EQ(StatusOf(Ask(Get("/v1/models", "Authorization: Bearer token-of-the-one\r\n"))),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf(Ask(Get("/v1/models", "Authorization: Bearer token-of-the-two\r\n"))),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(asked(), 1U);
  // Who is no caller brings a credential of its own.
  Ask(Get("/v1/models", "Authorization: Bearer sk-other\r\n"));
  EXPECT_EQ(asked(), 2U);
}

TEST_F(ProxyCacheTest, WhatChangesTheTargetEndsWhatIsKeptOfIt) {
  FakeUpstream upstream(Says({kFresh}));
  StartCached(upstream);
  Ask(Get("/v1/models"));
  Ask(Get("/v1/models", "Content-Length: 0\r\n", "DELETE"));
  Ask(Get("/v1/models"));
  EXPECT_EQ(asked(), 3U);
  ExpectResults({{"demo miss", 2}, {"demo bypass", 1}});
}

TEST_F(ProxyCacheTest, WhatFailedToChangeTheTargetEndsNothing) {
  FakeUpstream upstream(Says({kFresh, Reply("409 Conflict", "")}));
  StartCached(upstream);
  Ask(Get("/v1/models"));
  Ask(Get("/v1/models", "Content-Length: 0\r\n", "DELETE"));
  Ask(Get("/v1/models"));
  EXPECT_EQ(asked(), 2U);
}

std::string Embed(std::string_view body, std::string_view fields = {}) {
  return std::string("POST /demo/v1/embeddings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
             .append(fields)
             .append("Content-Type: application/json\r\nContent-Length: ")
             .append(std::to_string(body.size())) +
         "\r\n\r\n" + std::string(body);
}

TEST_F(ProxyCacheTest, APostByOptInIsKnownByItsWholeBody) {
  FakeUpstream upstream(Says({Reply("200 OK", "", "[0.1]"), Reply("200 OK", "", "[0.2]")}));
  StartCached(upstream, Posts("/v1/embeddings"));
  EXPECT_EQ(BodyOf(Ask(Embed(R"({"model":"e","input":"a"})"))), "[0.1]");
  EXPECT_EQ(BodyOf(Ask(Embed(R"({ "input": "a", "model": "e" })"))), "[0.1]");
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(BodyOf(Ask(Embed(R"({"model":"e","input":"b"})"))), "[0.2]");
  EXPECT_EQ(asked(), 2U);
  EXPECT_NE(requests()[0].find(R"({"model":"e","input":"a"})"), std::string::npos) << requests()[0];
  ExpectResults({{"demo hit", 1}, {"demo miss", 2}});
}

TEST_F(ProxyCacheTest, ABodyThatIsNoJsonIsTheApisToJudge) {
  FakeUpstream upstream(Says({Reply("200 OK", "")}));
  StartCached(upstream, Posts("/v1/*"));
  Ask(Embed("not json"));
  Ask(Embed("not json"));
  EXPECT_EQ(asked(), 2U);
  ExpectResults({{"demo bypass", 2}});
}

TEST_F(ProxyCacheTest, ABodyThatIsTooLargeToBeKeptPasses) {
  guard::Options options = JustCache();
  options.retry.replay_bytes_max = 32 * 1024;
  const std::string text = "\"" + std::string(200 * 1024, 'x') + "\"";
  FakeUpstream upstream(Says({Reply("200 OK", "")}));
  StartCached(upstream, Posts("/v1/embeddings"), options);
  EXPECT_EQ(StatusOf(Ask(Embed(text))), "HTTP/1.1 200 OK");
  EXPECT_TRUE(requests()[0].ends_with(text));
  ExpectResults({{"demo bypass", 1}});
}

TEST_F(ProxyCacheTest, AFailureIsAnsweredWithWhatIsKeptWhereTheOperatorSaysSo) {
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: max-age=0\r\nETag: \"x\"\r\n", "[1]"),
                              Reply("500 Internal Server Error", "", "no"), ""}));
  guard::CacheOptions cache;
  cache.stale_if_error = std::chrono::hours(1);
  StartCached(upstream, cache);
  Ask(Get("/v1/models"));
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");  // 500
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");  // the connection ends
  ExpectResults({{"demo miss", 1}, {"demo stale", 2}});
  EXPECT_EQ(StatusOf(Ask(Get("/v1/other"))), "HTTP/1.1 502 Bad Gateway");
}

TEST_F(ProxyCacheTest, ShadowCountsAndChangesNothing) {
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: max-age=60\r\nETag: \"x\"\r\n")}));
  guard::CacheOptions cache = Posts("/v1/embeddings");
  cache.mode = guard::Mode::kShadow;
  StartCached(upstream, cache);
  for (int i = 0; i < 3; ++i) Ask(Get("/v1/models"));
  for (int i = 0; i < 3; ++i) Ask(Embed(R"({"input":"a"})"));
  EXPECT_EQ(asked(), 6U);
  for (const std::string& request : requests()) EXPECT_EQ(request.find("If-None-Match"), std::string::npos);
  ExpectResults({{"demo miss", 2}, {"demo shadow_hit", 4}});
}

TEST_F(ProxyCacheTest, WhoWantsNothingButMemoryIsNotTakenToTheApi) {
  FakeUpstream upstream(Says({kFresh}));
  StartCached(upstream);
  const std::string only = "Cache-Control: only-if-cached\r\n";
  EXPECT_EQ(StatusOf(Ask(Get("/v1/models", only))), "HTTP/1.1 504 Gateway Timeout");
  Ask(Get("/v1/models"));
  EXPECT_EQ(StatusOf(Ask(Get("/v1/models", only))), "HTTP/1.1 200 OK");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCacheTest, AddressesInAHitLeadBackThroughTheAgent) {
  std::string authority;
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      peer.Send(Reply("200 OK", "Cache-Control: max-age=60\r\nLink: <http://" + authority +
                                    "/v1/models?page=2>; rel=\"next\"\r\n"));
    }
  });
  authority = upstream.authority();
  StartCached(upstream);
  const std::string first = Ask(Get("/v1/models"));
  const std::string hit = Ask(Get("/v1/models"));
  const std::string link = "<http://localhost/demo/v1/models?page=2>; rel=\"next\"";
  EXPECT_NE(first.find(link), std::string::npos) << first;
  EXPECT_NE(hit.find(link), std::string::npos) << hit;
}

TEST_F(ProxyCacheTest, WhatComesFromElsewhereAfterAReloadIsNotMixedWithWhatWas) {
  FakeUpstream one(Says({Reply("200 OK", "Cache-Control: max-age=60\r\n", "1")}));
  FakeUpstream two([](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send(Reply("200 OK", "Cache-Control: max-age=60\r\n", "2"));
  });
  StartCached(one);
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "1");
  apis::ApiOptions api = Demo(two);
  api.guard = JustCache();
  api.guard.mode = guard::Mode::kOn;
  api.guard.cache.emplace();
  caches_.Configure({{.api = "demo", .origin = "there", .options = {}}});
  EXPECT_EQ(caches_.View()["demo"].answers, 0U);
  proxy_->SetRoutes(Routes({api}));
  std::string body;
  for (int i = 0; i < 200 && body != "2"; ++i) body = BodyOf(Ask(Get("/v1/models")));
  EXPECT_EQ(body, "2");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "2");
}

}  // namespace
}  // namespace apiquota::proxy
