// What an answer says that is true of its moment alone: refusals, quotas, cookies.
#include <string>

#include "tests/proxy/coalesce_kit.h"

namespace apiquota::proxy {
namespace {

class ProxyCacheMomentTest : public ProxyCoalesceTest {
 protected:
  void StartGithub(const FakeUpstream& upstream, guard::CacheOptions cache = {},
                   guard::Options options = JustCache()) {
    apis::ApiOptions api = Demo(upstream);
    api.exporter = "github";
    api.guard = std::move(options);
    api.guard.mode = guard::Mode::kOn;
    api.guard.cache = std::move(cache);
    StartWith({api});
  }
  static guard::Options OneAttempt() {
    guard::Options options = JustCache();
    options.retry = {};
    options.retry.attempts = 1;
    return options;
  }
};

const std::string kRefusal =
    Reply("403 Forbidden", "Cache-Control: private, max-age=60\r\nX-RateLimit-Remaining: 0\r\n", "refused");

TEST_F(ProxyCacheMomentTest, ARefusalForWantOfQuotaIsNotKeptHoweverFreshItCallsItself) {
  FakeUpstream upstream(Says({kRefusal, Reply("200 OK", kFields, "[1]")}));
  StartGithub(upstream);
  EXPECT_EQ(StatusOf(Ask(Get("/repos"))), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(BodyOf(Ask(Get("/repos"))), "[1]");
}

// A query's answer has status 200, and its body says that it was refused.
class ARefusalInABody : public ProxyCacheMomentTest {
 protected:
  void ExpectNotKept(const guard::Options& options) {
    const std::string query =
        "POST /demo/graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    FakeUpstream upstream(Says({Reply("200 OK", "Content-Type: application/json\r\n",
                                      R"({"errors":[{"type":"RATE_LIMITED","message":"later"}]})"),
                                Reply("200 OK", "Content-Type: application/json\r\n", R"({"data":{}})")}));
    StartGithub(upstream, Posts("/graphql"), options);
    EXPECT_NE(Ask(query).find("RATE_LIMITED"), std::string::npos);
    EXPECT_EQ(BodyOf(Ask(query)), R"({"data":{}})");
    EXPECT_EQ(BodyOf(Ask(query)), R"({"data":{}})");
    EXPECT_EQ(asked(), 2U);
    proxy_.reset();
  }
};

TEST_F(ARefusalInABody, IsNotKeptAsThePostsAnswer) { ExpectNotKept(JustCache()); }
TEST_F(ARefusalInABody, IsNotKeptWhereItWasHeldBeforeItsClientHadIt) { ExpectNotKept(OneAttempt()); }

TEST_F(ProxyCacheMomentTest, WhatIsKeptStandsInPlaceOfARefusalOfWhateverStatus) {
  guard::CacheOptions cache;
  cache.stale_if_error = std::chrono::hours(1);
  FakeUpstream upstream(
      Says({Reply("200 OK", "Cache-Control: max-age=0\r\nETag: \"x\"\r\n", "[1]"), kRefusal}));
  StartGithub(upstream, cache);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(BodyOf(Ask(Get("/repos"))), "[1]");
  EXPECT_EQ(asked(), 3U);
}

TEST_F(ProxyCacheMomentTest, WhatAFormerAnswerSaidOfQuotasIsNotSaidAgain) {
  FakeUpstream upstream(
      Says({Reply("200 OK",
                  "Cache-Control: max-age=60\r\nX-RateLimit-Limit: 60\r\n"
                  "X-RateLimit-Remaining: 0\r\nRetry-After: 5\r\nX-GitHub-Request-Id: 7\r\n",
                  "[1]")}));
  StartGithub(upstream);
  const std::string first = Ask(Get("/repos"));
  EXPECT_NE(first.find("X-RateLimit-Remaining: 0\r\n"), std::string::npos) << first;
  const std::string hit = Ask(Get("/repos"));
  EXPECT_EQ(hit.find("X-RateLimit"), std::string::npos) << hit;
  EXPECT_EQ(hit.find("Retry-After"), std::string::npos) << hit;
  EXPECT_NE(hit.find("X-GitHub-Request-Id: 7\r\n"), std::string::npos) << hit;
  EXPECT_NE(hit.find("Cache-Control: max-age=60\r\n"), std::string::npos) << hit;
  EXPECT_EQ(BodyOf(hit), "[1]");
}

TEST_F(ProxyCacheMomentTest, WhoseConfirmationSaysWhatIsLeftIsToldThat) {
  FakeUpstream upstream(
      Says({Reply("200 OK",
                  "Cache-Control: max-age=0\r\nETag: \"x\"\r\nX-RateLimit-Remaining: 9\r\n"
                  "X-RateLimit-Used: 51\r\n",
                  "[1]"),
            "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nX-RateLimit-Remaining: 4\r\n\r\n"}));
  StartGithub(upstream);
  Ask(Get("/repos"));
  const std::string answer = Ask(Get("/repos"));
  EXPECT_EQ(StatusOf(answer), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("X-RateLimit-Remaining: 4\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("X-RateLimit-Remaining: 9\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("X-RateLimit-Used"), std::string::npos) << answer;
}

TEST_F(ProxyCacheMomentTest, ACookieOfAConfirmationIsItsClientsAlone) {
  const std::string confirmation = "HTTP/1.1 304 Not Modified\r\nCache-Control: no-cache\r\nETag: \"x\"\r\n";
  FakeUpstream upstream(
      Says({Reply("200 OK", "Cache-Control: no-cache\r\nETag: \"x\"\r\n", "[1]"),
            confirmation + "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n", confirmation + "\r\n"}));
  StartCached(upstream);
  Ask(Get("/v1/models"));
  const std::string second = Ask(Get("/v1/models"));
  EXPECT_NE(second.find("Set-Cookie: a=1\r\n"), std::string::npos) << second;
  EXPECT_NE(second.find("Set-Cookie: b=2\r\n"), std::string::npos) << second;
  EXPECT_EQ(Ask(Get("/v1/models")).find("Set-Cookie"), std::string::npos);
}

}  // namespace
}  // namespace apiquota::proxy
