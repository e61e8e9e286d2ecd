// Who asks for others and goes: its client, its upstream, the agent.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/proxy/coalesce_kit.h"

namespace apiquota::proxy {
namespace {

TEST_F(ProxyCoalesceTest, ALeaderThatGoesLeavesItsRequestToThoseWhoWait) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream);
  Peer leader = Connect();
  leader.Send(Get("/v1/models"));
  EXPECT_TRUE(Asked(1));
  std::vector<Peer> crowd = Crowd(10, Get("/v1/models"));
  EXPECT_TRUE(Follow(10));
  leader.Reset();
  crowd.back().Reset();
  EXPECT_TRUE(Follow(9));
  gate.Open();
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(BodyOf(crowd[i].ReadAll()), "[1]");
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyCoalesceTest, WhatALonelyClientAskedForIsKeptAlthoughItHasGone) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream);
  Peer leader = Connect();
  leader.Send(Get("/v1/models"));
  EXPECT_TRUE(Asked(1));
  leader.Reset();
  Peer next = Connect();
  next.Send(Get("/v1/models"));
  EXPECT_TRUE(Follow(1));
  gate.Open();
  EXPECT_EQ(BodyOf(next.ReadAll()), "[1]");
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCoalesceTest, RequestsThatGoOnWithoutTheirClientsAreCountedAndSoAreThoseThatMayNot) {
  constexpr size_t kClients = 110, kMay = 100;
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream);
  std::vector<Peer> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(Connect());
    clients.back().Send(Get("/v1/models?n=" + std::to_string(i)));
  }
  EXPECT_TRUE(Asked(kClients));
  for (Peer& client : clients) client.Reset();
  EXPECT_EQ(Orphans(kMay, kClients - kMay), "100 go on, 10 were given up");
  gate.Open();
  EXPECT_EQ(Orphans(0, kClients - kMay), "0 go on, 10 were given up");
  EXPECT_EQ(Quiet().answers, kMay);
}

// At every byte of its request, and of the answer that it reads.
TEST_F(ProxyCoalesceTest, ALeaderKilledAtAnyByteCostsNoSecondCall) {
  const std::string request = Get("/v1/models");
  const std::string body(40, 'x');
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      asked_.fetch_add(1);
      for (const char byte : Reply("200 OK", kFields, body)) peer.Send(std::string(1, byte));
    }
  });
  StartCached(upstream);
  size_t calls = 0;
  for (size_t cut = 0; cut <= request.size(); cut += cut + 7 < request.size() ? 7 : 1) {
    const std::string mine = Get("/v1/models?n=" + std::to_string(cut));
    Peer leader = Connect();
    leader.Send(std::string_view(mine).substr(0, mine.size() - request.size() + cut));
    Peer follower = Connect();
    follower.Send(mine);
    leader.Reset();
    EXPECT_EQ(BodyOf(follower.ReadAll()), body) << cut;
    EXPECT_EQ(asked(), ++calls) << cut;
  }
  for (size_t cut = 1; cut < 120; cut += 5) {
    const std::string mine = Get("/v1/models?m=" + std::to_string(cut));
    Peer leader = Connect();
    leader.Send(mine);
    leader.Read(cut);
    leader.Reset();
    EXPECT_EQ(BodyOf(Ask(mine)), body) << cut;
    EXPECT_EQ(asked(), ++calls) << cut;
  }
  EXPECT_EQ(Quiet().groups, 0U);
  EXPECT_EQ(Held(), 0U);
}

// At every byte of its answer: one who waits asks again, the others get what that one gets.
TEST_F(ProxyCoalesceTest, AnUpstreamKilledAtAnyByteCostsOneMoreCall) {
  const std::string whole = Reply("200 OK", kFields, "[1234567]");
  std::atomic<size_t> cut{0};
  Gate* gate = nullptr;
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      if (asked_.fetch_add(1) == 0) {
        gate->Pass();
        peer.Send(std::string_view(whole).substr(0, cut));
        return;
      }
      peer.Send(whole);
    }
  });
  StartCached(upstream);
  for (cut = 0; cut < whole.size(); ++cut) {
    Gate mine;
    gate = &mine;
    asked_ = 0;
    const std::string request = Get("/v1/models?n=" + std::to_string(cut));
    Peer leader = Connect();
    leader.Send(request);
    ASSERT_TRUE(Asked(1));
    std::vector<Peer> crowd = Crowd(5, request);
    ASSERT_TRUE(Follow(5));
    mine.Open();
    leader.ReadAll();
    for (Peer& peer : crowd) EXPECT_EQ(BodyOf(peer.ReadAll()), "[1234567]") << cut;
    EXPECT_EQ(asked(), 2U) << cut;
  }
  EXPECT_EQ(Quiet().groups, 0U);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyCoalesceTest, TheEndOfTheAgentLeavesNobodyWaiting) {
  options_.loops = 3;
  options_.drain_timeout = std::chrono::milliseconds(200);
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields)));
  StartCached(upstream);
  Peer leader = Connect();
  leader.Send(Get("/v1/models"));
  EXPECT_TRUE(Asked(1));
  std::vector<Peer> crowd = Crowd(20, Get("/v1/models"));
  EXPECT_TRUE(Follow(20));
  leader.Reset();
  proxy_->Drain();
  for (Peer& peer : crowd) EXPECT_TRUE(peer.AtEnd());
  gate.Open();
  proxy_.reset();
  EXPECT_EQ(Quiet().followers, 0U);
}

TEST_F(ProxyCoalesceTest, ADrainWaitsForThoseWhoseLeaderHasGone) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream);
  Peer leader = Connect();
  leader.Send(Get("/v1/models"));
  EXPECT_TRUE(Asked(1));
  Peer follower = Connect();
  follower.Send(Get("/v1/models"));
  EXPECT_TRUE(Follow(1));
  leader.Reset();
  std::thread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    gate.Open();
  });
  proxy_->Drain();
  opener.join();
  EXPECT_EQ(BodyOf(follower.ReadAll()), "[1]");
}

TEST_F(ProxyCoalesceTest, AReloadDuringALeadStrandsNobody) {
  Gate gate;
  FakeUpstream upstream(Waits(gate, Reply("200 OK", kFields, "[1]")));
  StartCached(upstream);
  std::vector<Peer> crowd = Crowd(10, Get("/v1/models"));
  EXPECT_TRUE(Follow(9));
  caches_.Configure({});
  apis::ApiOptions api = Demo(upstream);
  proxy_->SetRoutes(Routes({api}));
  gate.Open();
  for (Peer& peer : crowd) EXPECT_EQ(BodyOf(peer.ReadAll()), "[1]");
  EXPECT_EQ(asked(), 1U);
  Ask(Get("/v1/models"));
  EXPECT_EQ(asked(), 2U);
}

}  // namespace
}  // namespace apiquota::proxy
