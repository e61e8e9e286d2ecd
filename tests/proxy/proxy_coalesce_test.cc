// Identical requests at once, through a real proxy: one of them asks, whatever becomes of its client.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/proxy/coalesce_kit.h"

namespace apiquota::proxy {
namespace {

TEST_F(ProxyCoalesceTest, AHundredIdenticalRequestsAreOneOfTheApis) {
  options_.loops = 4;
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream);
  std::vector<Peer> crowd = Crowd(100, Get("/v1/models"));
  EXPECT_TRUE(Follow(99));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(BodyOf(peer.ReadAll()), "[1]");
  EXPECT_EQ(asked(), 1U);
  ExpectResults({{"demo coalesced", 99}, {"demo miss", 1}});
  EXPECT_EQ(Counts("apiquota_quota_saved_total"), (CountMap{{"demo requests", 99}}));
}

TEST_F(ProxyCoalesceTest, WhatIsNotKeptIsSharedAmongThoseWhoWait) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("404 Not Found", "", "none")));
  StartCached(upstream);
  std::vector<Peer> crowd = Crowd(20, Get("/v1/models"));
  EXPECT_TRUE(Follow(19));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(BodyOf(peer.ReadAll()), "none");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCoalesceTest, OthersThanIdenticalOnesAskForThemselves) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields)));
  StartCached(upstream);
  std::vector<Peer> crowd = Crowd(1, Get("/v1/models"));
  for (const std::string& other : {Get("/v1/models?a"), Get("/v1/models", "Authorization: Bearer a\r\n"),
                                   Get("/v1/models", "Accept-Language: de\r\n")}) {
    crowd.push_back(Connect());
    crowd.back().Send(other);
  }
  EXPECT_TRUE(Asked(4));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(StatusOf(peer.ReadAll()), "HTTP/1.1 200 OK");
}

// What none knows before the answer says so, and is no reason to ask twice as long as it does not.
TEST_F(ProxyCoalesceTest, NobodyIsGivenAnAnswerThatOthersFieldsHaveSelected) {
  Gate gate;
  FakeUpstream upstream([&](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      asked_.fetch_add(1);
      gate.Pass();
      const bool phone = head.find("phone") != std::string::npos;
      peer.Send(
          Reply("200 OK", "Cache-Control: max-age=60\r\nVary: User-Agent\r\n", phone ? "small" : "large"));
    }
  });
  StartCached(upstream);
  std::vector<Peer> crowd = Crowd(1, Get("/v1/models", "User-Agent: desk\r\n"));
  EXPECT_TRUE(Asked(1));
  for (const char* agent : {"User-Agent: phone\r\n", "User-Agent: desk\r\n"}) {
    crowd.push_back(Connect());
    crowd.back().Send(Get("/v1/models", agent));
  }
  EXPECT_TRUE(Follow(2));
  gate.Open();
  EXPECT_EQ(BodyOf(crowd[0].ReadAll()), "large");
  EXPECT_EQ(BodyOf(crowd[1].ReadAll()), "small");
  EXPECT_EQ(BodyOf(crowd[2].ReadAll()), "large");
  EXPECT_EQ(asked(), 2U);
}

TEST_F(ProxyCoalesceTest, AStreamIsForEachAlone) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", "Content-Type: text/event-stream\r\n", "data: 1\n\n")));
  StartCached(upstream);
  std::vector<Peer> crowd = Crowd(5, Get("/v1/events"));
  EXPECT_TRUE(Follow(4));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(BodyOf(peer.ReadAll()), "data: 1\n\n");
  EXPECT_EQ(asked(), 5U);
}

TEST_F(ProxyCoalesceTest, APostByOptInIsOneOfTheApis) {
  Gate gate;
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      peer.Read(13);
      asked_.fetch_add(1);
      gate.Pass();
      peer.Send(Reply("200 OK", "", "[0.1]"));
    }
  });
  StartCached(upstream, Posts("/v1/embeddings"));
  std::vector<Peer> crowd = Crowd(10,
                                  "POST /demo/v1/embeddings HTTP/1.1\r\nHost: localhost\r\nConnection: "
                                  "close\r\nContent-Length: 13\r\n\r\n"
                                  R"({"input":"a"})");
  EXPECT_TRUE(Follow(9));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(BodyOf(peer.ReadAll()), "[0.1]");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCoalesceTest, ASlowLeaderDoesNotSlowThoseWhoWait) {
  Gate gate;
  const std::string body(4 * 1024 * 1024, 'x');
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, body)));
  StartCached(upstream);
  Peer leader = Connect(4096);
  leader.Send(Get("/v1/models"));
  EXPECT_TRUE(Asked(1));
  Peer follower = Connect();
  follower.Send(Get("/v1/models"));
  EXPECT_TRUE(Follow(1));
  gate.Open();
  EXPECT_EQ(BodyOf(follower.ReadAll()), body);
  EXPECT_EQ(BodyOf(leader.ReadAll()), body);
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCoalesceTest, WhoHasWaitedLongEnoughAsksForItself) {
  options_.first_byte_timeout = std::chrono::milliseconds(400);
  std::atomic<bool> first{true};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      asked_.fetch_add(1);
      if (!first.exchange(false)) {
        peer.Send(Reply("200 OK", kFields, "[1]"));
        continue;
      }
      // Its head comes at once, and its body drips.
      peer.Send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1000\r\n\r\n");
      for (int i = 0; i < 30; ++i) {
        peer.Send("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      return;
    }
  });
  StartCached(upstream);
  Peer leader = Connect();
  leader.Send(Get("/v1/models"));
  leader.ReadHead();
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), 2U);
}

}  // namespace
}  // namespace apiquota::proxy
