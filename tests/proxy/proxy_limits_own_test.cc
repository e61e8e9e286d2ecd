// Limits of the operator's own, held by a real proxy: what clients are told, and what comes back.
#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {
namespace {

guard::LimitRule PerAddress(std::string name, uint64_t limit) {
  guard::LimitRule rule;
  rule.name = std::move(name);
  rule.by = {{.kind = guard::LimitSubject::Kind::kAddress}};
  rule.limit = limit;
  rule.window = std::chrono::minutes(1);
  return rule;
}

// A plain limiter: what has its place goes at once.
guard::Options Limiter(std::vector<guard::LimitRule> limits) {
  guard::Options options;
  for (guard::Part* part :
       {static_cast<guard::Part*>(&options.pace), static_cast<guard::Part*>(&options.queue),
        static_cast<guard::Part*>(&options.retry), static_cast<guard::Part*>(&options.cooldown)})
    part->mode = guard::Mode::kOff;
  options.limits = std::move(limits);
  return options;
}

std::string GetFrom(std::string_view path, std::string_view address) {
  return std::string("GET /demo")
      .append(path)
      .append(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: ")
      .append(address)
      .append("\r\n\r\n");
}

std::string_view Status(std::string_view answer) { return answer.substr(9, 3); }

class ProxyOwnLimitsTest : public ProxyGuardTest {
 protected:
  double Left() {
    guard::LimitedCall call{.method = "GET", .path = "/", .caller = {}, .key = "k", .address = "127.0.0.1"};
    return guard_.ApiFor("demo")->StandingsOf(call, Now()).at(0).remaining;
  }
  // An answer is settled after its client has it.
  bool GetsTo(double left) {
    for (int i = 0; i < 1000 && Left() != left; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return Left() == left;
  }
};

TEST_F(ProxyOwnLimitsTest, OfSixtyRequestsTheOnesOverTheLimitAreRefusedAndNeverSent) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, Limiter({PerAddress("default", 50)}));
  int served = 0, refused = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string answer = Ask(kGetOnce);
    ++(Status(answer) == "200" ? served : refused);
    const std::string left = std::to_string(std::max(49 - i, 0));
    const std::string limits = "\r\nRateLimit: \"apiquota-default\";r=" + left + ";t=";
    for (const std::string& field :
         {limits, std::string("\r\nRateLimit-Policy: \"apiquota-default\";q=50;w=60\r\n"),
          std::string("\r\nX-RateLimit-Limit: 50\r\n"), "\r\nX-RateLimit-Remaining: " + left + "\r\n",
          std::string("\r\nX-RateLimit-Reset: ")})
      EXPECT_NE(answer.find(field), std::string::npos) << i << field << " in " << answer;
    EXPECT_EQ(answer.find("\r\nRetry-After: ") != std::string::npos, i >= 50) << answer;
    EXPECT_EQ(
        answer.find("not enough is left of limit default (50 in 60 s); it could go in ") != std::string::npos,
        i >= 50)
        << answer;
  }
  EXPECT_EQ(served, 50);
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(asked(), 50U);
  EXPECT_EQ(Counts("apiquota_decisions_total"),
            (CountMap{{"demo none allow on", 50}, {"demo limit reject on", 10}}));
}

TEST_F(ProxyOwnLimitsTest, ALimitThatIsOnlyJudgedIsCountedAndNobodyIsToldOfIt) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  guard::Options options = Limiter({PerAddress("default", 2)});
  options.limits[0].mode = guard::Mode::kShadow;
  StartGuarded(upstream, options);
  for (int i = 0; i < 5; ++i) {
    const std::string answer = Ask(kGetOnce);
    EXPECT_EQ(Status(answer), "200");
    EXPECT_EQ(answer.find("RateLimit"), std::string::npos) << answer;
  }
  EXPECT_EQ(Counts("apiquota_decisions_total").at("demo limit reject shadow"), 3);
}

TEST_F(ProxyOwnLimitsTest, ExemptPathsTakeNothingAndOthersTheirOwnRule) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  guard::LimitRule models = PerAddress("default", 1);
  models.match.path = "/v1/models*";
  guard::Options options = Limiter({models, PerAddress("default", 3)});
  options.exempt = {"/healthz"};
  StartGuarded(upstream, options);
  EXPECT_EQ(Status(Ask(GetFrom("/v1/models/x?a=b", "-"))), "200");
  EXPECT_EQ(Status(Ask(GetFrom("/v1/models", "-"))), "429");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Status(Ask(GetFrom("/healthz", "-"))), "200");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Status(Ask(GetFrom("/other", "-"))), i < 3 ? "200" : "429");
}

TEST_F(ProxyOwnLimitsTest, BehindATrustedProxyEachOfItsClientsHasALimitOfItsOwn) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  options_.trusted_proxies = {*IpNetwork::Parse("127.0.0.1")};
  StartGuarded(upstream, Limiter({PerAddress("default", 1)}));
  EXPECT_EQ(Status(Ask(GetFrom("/x", "192.0.2.1"))), "200");
  EXPECT_EQ(Status(Ask(GetFrom("/x", "192.0.2.2"))), "200");
  EXPECT_EQ(Status(Ask(GetFrom("/x", "192.0.2.9, 192.0.2.1"))), "429")
      << "what a client says ahead is its own";
}

TEST_F(ProxyOwnLimitsTest, WithoutTrustedProxiesNobodyChoosesItsAddress) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, Limiter({PerAddress("default", 1)}));
  EXPECT_EQ(Status(Ask(GetFrom("/x", "192.0.2.1"))), "200");
  EXPECT_EQ(Status(Ask(GetFrom("/x", "192.0.2.2"))), "429");
}

TEST_F(ProxyOwnLimitsTest, TheApisOwnFieldsAreNotSaidASecondTime) {
  FakeUpstream upstream(
      Says({Reply("200 OK", "x-ratelimit-limit: 5000\r\nRateLimit: \"core\";r=7;t=60\r\n")}));
  StartGuarded(upstream, Limiter({PerAddress("default", 5)}));
  const std::string answer = Ask(kGetOnce);
  EXPECT_NE(answer.find("\r\nx-ratelimit-limit: 5000\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("X-RateLimit-"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nRateLimit: \"core\";r=7;t=60\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nRateLimit: \"apiquota-default\";r=4;t=60\r\n"), std::string::npos) << answer;
}

TEST_F(ProxyOwnLimitsTest, WhoLacksWhatALimitCountsByIsToldSoAndNotToComeAgain) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  guard::LimitRule rule = PerAddress("by-role", 5);
  rule.by = {{.kind = guard::LimitSubject::Kind::kHeader, .header = "x-role"}};
  StartGuarded(upstream, Limiter({rule}));
  const std::string answer = Ask(kGetOnce);
  EXPECT_EQ(Status(answer), "429");
  EXPECT_NE(answer.find("limit by-role counts by header x-role, which it does not have"), std::string::npos)
      << answer;
  EXPECT_NE(answer.find("\r\nx-should-retry: false\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("Retry-After"), std::string::npos) << answer;
  EXPECT_EQ(asked(), 0U);
}

TEST_F(ProxyOwnLimitsTest, WhoLeavesTheQueueGivesItsPlaceBack) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "Retry-After: 2\r\n"), std::string(kOk)}));
  guard::Options options;
  options.limits = {PerAddress("default", 10)};
  StartGuarded(upstream, options);
  Peer first = Connect();
  first.Send(kGetOnce);
  while (asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  Peer second = Connect();
  second.Send(kGetOnce);
  for (int i = 0; i < 1000 && Left() != 8; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(Left(), 8) << "it holds its place while it waits";
  second.Close();
  for (int i = 0; i < 1000 && Left() != 9; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(Left(), 9);
  EXPECT_TRUE(first.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Left(), 9) << "what was repeated is counted once";
}

TEST_F(ProxyOwnLimitsTest, WhatTheApiDeclinesTakesNoTokens) {
  const std::string served =
      Reply("200 OK", "Content-Type: application/json\r\n",
            R"({"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}})");
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", ""), Reply("400 Bad Request", ""),
                              Reply("500 Internal Server Error", ""), served, Reply("200 OK", "")}));
  guard::LimitRule rule = PerAddress("tokens", 1'000'000);
  rule.unit = guard::LimitRule::Unit::kTokens;
  StartGuarded(upstream, Limiter({rule}));
  const std::string chat = Post("", R"({"model":"gpt-5","max_tokens":500,"messages":[]})");
  for (const double left : {1'000'000, 1'000'000, 1'000'000, 999'970}) {
    Ask(chat);
    EXPECT_TRUE(GetsTo(left)) << Left();
  }
  Ask(chat);
  EXPECT_EQ(Held(), 0U);
  EXPECT_LE(Left(), 999'970 - 500) << "of what was served and says nothing the guess stands";
}

TEST_F(ProxyOwnLimitsTest, WhatAStreamSaidItTookIsOwedThoughItWasCutOff) {
  const std::string event =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,"
      "\"completion_tokens\":9990,\"total_tokens\":10000}}\n\n";
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n" + event);
  });
  guard::LimitRule rule = PerAddress("tokens", 1'000'000);
  rule.unit = guard::LimitRule::Unit::kTokens;
  StartGuarded(upstream, Limiter({rule}));
  Ask(Post("", R"({"model":"gpt-5","max_tokens":500,"stream":true,"messages":[]})"));
  EXPECT_TRUE(GetsTo(990'000)) << Left();
}

// A client that keeps its connection and asks one thing after the other.
TEST_F(ProxyOwnLimitsTest, ARefusalLeavesItsConnectionOpen) {
  FakeUpstream upstream(Says({std::string(kOk)}));
  StartGuarded(upstream, Limiter({PerAddress("default", 1)}));
  Peer client = Connect();
  client.Send(std::string(kGet) + std::string(kGet) + std::string(kGetOnce));
  const std::string answers = client.ReadAll();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 200 OK\r\n")) << answers;
  size_t refused = 0;
  for (size_t at = 0; (at = answers.find("HTTP/1.1 429 ", at)) != std::string::npos; ++at) ++refused;
  EXPECT_EQ(refused, 2U) << answers;
}

}  // namespace
}  // namespace apiquota::proxy
