// Keys for requests whose clients bring none, and the calls that a guarded api is told of.
#include "proxy/idempotency_key.h"

#include <set>

#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {
namespace {

guard::Options KeysFor(std::vector<std::string> paths) {
  guard::Options options;
  options.mode = guard::Mode::kOn;
  options.retry.add_idempotency_key = std::move(paths);
  return options;
}

http::RequestHead Head(std::string method, std::initializer_list<http::FieldView> fields = {}) {
  http::RequestHead head;
  head.method = std::move(method);
  for (const auto& [name, value] : fields) head.fields.Add(name, value);
  return head;
}

TEST(IdempotencyKeyTest, OnlyPostsToNamedPathsThatBringNoneGetOne) {
  const guard::Options options = KeysFor({"/v1/charges", "/v2/*"});
  EXPECT_TRUE(GetsIdempotencyKey(options, Head("POST"), "/v1/charges"));
  EXPECT_TRUE(GetsIdempotencyKey(options, Head("POST"), "/v2/refunds/4711"));
  EXPECT_TRUE(GetsIdempotencyKey(options, Head("POST", {{"Idempotency-Key", ""}}), "/v1/charges"));
  EXPECT_FALSE(GetsIdempotencyKey(options, Head("POST"), "/v1/charges/4711"));
  EXPECT_FALSE(GetsIdempotencyKey(options, Head("PATCH"), "/v1/charges"));
  EXPECT_FALSE(GetsIdempotencyKey(options, Head("POST", {{"Idempotency-Key", "mine"}}), "/v1/charges"));
  EXPECT_FALSE(GetsIdempotencyKey(guard::Options(), Head("POST"), "/v1/charges"));
}

TEST(IdempotencyKeyTest, APathIsTheSameInWhateverSpelling) {
  const guard::Options options = KeysFor({"/v1/charges", "/v2/*"});
  for (const char* path : {"/v1/%63harges", "/v1//charges", "/x/../v1/charges", "/%76%32/refunds"})
    EXPECT_TRUE(GetsIdempotencyKey(options, Head("POST"), path)) << path;
  EXPECT_FALSE(GetsIdempotencyKey(options, Head("POST"), "/v2/..%2Fv3/refunds"));
}

TEST(IdempotencyKeyTest, AGuardThatRepeatsNothingAddsNothing) {
  guard::Options options = KeysFor({"/*"});
  options.retry.mode = guard::Mode::kOff;
  EXPECT_FALSE(GetsIdempotencyKey(options, Head("POST"), "/v1/charges"));
  options.retry.mode = guard::Mode::kShadow;
  EXPECT_FALSE(GetsIdempotencyKey(options, Head("POST"), "/v1/charges")) << "a shadow changes nothing";
}

TEST(IdempotencyKeyTest, AKeyIsARandomUuid) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = RandomUuid();
    ASSERT_EQ(uuid.size(), kForm.size());
    for (size_t at = 0; at < uuid.size(); ++at) {
      const std::string_view allowed = kForm[at] == 'x'   ? "0123456789abcdef"
                                       : kForm[at] == 'y' ? "89ab"
                                                          : kForm.substr(at, 1);
      EXPECT_NE(allowed.find(uuid[at]), std::string_view::npos) << uuid;
    }
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

using ProxyIdempotencyTest = ProxyGuardTest;

TEST_F(ProxyIdempotencyTest, APostWithAnAddedKeyIsSentAgainUnderTheSameOne) {
  FakeUpstream upstream(Says({Reply("502 Bad Gateway", ""), std::string(kOk)}));
  StartGuarded(upstream, KeysFor({"/v1/chat/completions"}));
  const std::string answer = Ask(Post("", kChat));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_EQ(answer.find("dempotency"), std::string::npos) << "only the API sees it: " << answer;
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[0], requests()[1]);
  EXPECT_NE(requests()[0].find("idempotency-key: "), std::string::npos) << requests()[0];
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyIdempotencyTest, AClientsOwnKeyIsLeftAlone) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, KeysFor({"/*"}));
  Ask(Post("Idempotency-Key: mine\r\n", kChat));
  ASSERT_EQ(requests().size(), 1U);
  EXPECT_NE(requests()[0].find("Idempotency-Key: mine\r\n"), std::string::npos) << requests()[0];
  EXPECT_EQ(requests()[0].find("idempotency-key"), std::string::npos) << requests()[0];
}

TEST_F(ProxyIdempotencyTest, IdenticalAndBatchableCallsAreReportedByRoute) {
  const std::string stream = Reply("200 OK", "Content-Type: text/event-stream\r\n", "data: {}\n\n");
  FakeUpstream upstream(
      Says({std::string(kOk), std::string(kOk), std::string(kOk), stream, std::string(kOk)}));
  StartGuarded(upstream, {});
  Ask(Post("", kChat));
  Ask(Post("", kChat));
  Ask(Post("", R"({"model":"gpt-5","messages":[1]})"));
  Ask(Post("", R"({"model":"gpt-5","stream":true})"));
  Ask(kGetOnce);
  proxy_.reset();  // all has been counted then
  const auto calls = guard_.ApiFor("demo")->calls().View();
  EXPECT_EQ(calls, (std::vector<guard::RouteCalls>{{"POST /v1/chat/completions", 4, 1, 3},
                                                   {"GET /v1/models", 1, 0, 0}}));
  EXPECT_EQ(Counts("apiquota_coalescable_requests_total"), (CountMap{{"demo", 1}}));
  EXPECT_EQ(Counts("apiquota_batchable_requests_total"), (CountMap{{"demo", 3}}));
}

}  // namespace
}  // namespace apiquota::proxy
