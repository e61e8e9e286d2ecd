// What /api/v1/explain answers to questions, and to what is none.
#include "app/explain_page.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace apiquota::app {
namespace {

using std::chrono::seconds;

class NoRim final : public guard::Rim {
 public:
  void Deliver(uint32_t, std::vector<guard::Granted>) override {}
  void WakeBy(SystemTime) override {}
};

expose::ApiFacts Api(std::string name, guard::Mode mode, bool implied = false) {
  expose::ApiFacts api;
  api.name = std::move(name);
  api.guard.mode = mode;
  api.implied = implied;
  return api;
}

class ExplainPageTest : public testing::Test {
 protected:
  ExplainPageTest() {
    std::vector<guard::GuardedApi> guarded;
    for (const expose::ApiFacts& api : apis) {
      guarded.push_back({.api = api.name, .pool = api.name, .options = api.guard, .declared = {}});
    }
    guard.Configure(std::move(guarded), now);
  }

  void Use(std::string_view api, std::string_view key) {
    guard.Ask(guard.AccountFor(api, key, now), {.flow = "a", .deadline = now + seconds(65)}, now);
  }
  net::AdminResponse Page(std::string_view query) {
    return ExplainPage(&guard, apis, query, {now, seconds(7)});
  }

  const SystemTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)};
  const std::vector<expose::ApiFacts> apis = {Api("b", guard::Mode::kOn), Api("a b", guard::Mode::kShadow),
                                              Api("open", guard::Mode::kOff),
                                              Api("implied", guard::Mode::kOn, true)};
  NoRim rim;
  guard::Guard guard{rim};
};

TEST_F(ExplainPageTest, WhatIsNoQuestionIsRefusedInOneSentence) {
  const std::pair<const char*, const char*> answers[] = {
      {"", "expected ?api=NAME\n"},
      {"api=", "expected ?api=NAME\n"},
      {"key=k", "expected ?api=NAME\n"},
      {"api=b&key=", "expected a name after key=\n"},
      {"api=b&api=b", "api is given twice\n"},
      {"api=b&key=k&key=k", "key is given twice\n"},
      {"API=b", "this page knows the parameters api and key, and no other\n"},
      {"api=b&resource=x", "this page knows the parameters api and key, and no other\n"},
  };
  for (const auto& [query, sentence] : answers) {
    const net::AdminResponse answer = Page(query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(answer.body, sentence) << query;
  }
}

TEST_F(ExplainPageTest, AnUnknownNameIsAnsweredWithThoseThereAre) {
  for (const char* name : {"c", "open", "B", "%3Cscript%3E"}) {
    const net::AdminResponse answer = Page("api=" + std::string(name));
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, "no guarded api has this name; there are: a b, b\n");
    EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  }
  EXPECT_EQ(Page("api=b&key=k").body, "no key of this name was used; there is none yet\n");
  Use("b", "hmac:0a");
  Use("b", "ci");
  EXPECT_EQ(Page("api=b&key=k").status, 404);
  EXPECT_EQ(Page("api=b&key=k").body, "no key of this name was used; there are: ci, hmac:0a\n");
  Use("implied", "ci");
  EXPECT_EQ(Page("api=c").body, "no guarded api has this name; there are: a b, b, implied\n");
}

TEST_F(ExplainPageTest, WithoutAGuardThatIsSaid) {
  const net::AdminResponse answer = ExplainPage(nullptr, apis, "api=b", {now});
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, "no api is guarded\n");
}

TEST_F(ExplainPageTest, OneKeyOrAllAreToldInTheSystemClocksTime) {
  Use("b", "hmac:0a");
  Use("b", "ci");
  const net::AdminResponse all = Page("api=b"), one = Page("key=hmac%3A0a&api=b");
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.content_type, "application/json");
  EXPECT_NE(all.body.find("\"key\": \"ci\""), std::string::npos);
  EXPECT_NE(all.body.find("\"at_time\": \"2026-11-01T00:00:07Z\""), std::string::npos) << all.body;
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body.find("\"key\": \"ci\""), std::string::npos);
  EXPECT_NE(one.body.find("\"decision\": \"allow\""), std::string::npos);
}

TEST_F(ExplainPageTest, AnApiThatNobodyHasUsedHasNoKeys) {
  const net::AdminResponse answer = Page("api=a%20b");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"keys\": []"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace apiquota::app
