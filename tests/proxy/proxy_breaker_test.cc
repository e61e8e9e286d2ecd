// The breaker at a real proxy: what opens it, who is let through, and that a probe always comes back.
#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProxyBreakerTest : public ProxyGuardTest {
 protected:
  static guard::Options With(Micros open) {
    guard::Options options;
    options.retry.mode = guard::Mode::kOff;
    options.cooldown.mode = guard::Mode::kOff;
    options.breaker = guard::BreakerOptions{};
    options.breaker->open = open;
    return options;
  }
  // … and closes the connection.
  FakeUpstream::Script SaysOnce(std::string_view answer) {
    return [this, answer](Peer& peer) {
      peer.ReadHead();
      ++asked_;
      peer.Send(std::string("HTTP/1.1 200 OK\r\n").append(answer));
    };
  }
  guard::BreakerView Breaker() {
    const auto apis = guard_.ViewApis(Now(), 0);
    return apis.empty() || !apis[0].breaker ? guard::BreakerView{} : *apis[0].breaker;
  }
  std::string StatusOf(std::string_view request) { return Ask(request).substr(9, 3); }
  void Break() {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(StatusOf(kGetOnce), "502");
    Until([&] { return Breaker().open; });
  }
  void OpensAfterFive(const FakeUpstream& upstream) {
    StartGuarded(upstream, With(seconds(10)));
    for (int i = 0; i < 5; ++i) Ask(kGetOnce);
    EXPECT_EQ(StatusOf(kGetOnce), "503");
    EXPECT_EQ(asked(), 5U);
  }
  void Lapse(const guard::Options& options) {
    std::this_thread::sleep_for(options.breaker->open + milliseconds(20));
  }
  void Until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_TRUE(holds());
  }
  void Reload(const FakeUpstream& upstream, const guard::Options& options) {
    apis::ApiOptions api = Demo(upstream);
    api.guard = options;
    api.guard.mode = guard::Mode::kOn;
    guard_.Configure({{.api = "demo", .pool = "demo", .options = api.guard, .declared = {}}}, Now());
    proxy_->SetRoutes(Routes({api}));
  }
};

TEST_F(ProxyBreakerTest, FiveDeadConnectsOpenItAndNobodyIsSentUntilAProbe) {
  auto upstream = std::make_unique<FakeUpstream>(Says({std::string(kOk)}));
  const apis::ApiOptions gone = Demo(*upstream);
  StartGuarded(*upstream, With(seconds(10)));
  upstream.reset();  // its port is closed
  Break();
  const std::string answer = Ask(kGetOnce);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << answer;
  EXPECT_NE(answer.find("\r\nRetry-After: 10\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nProxy-Status: apiquota; error="), std::string::npos) << answer;
  EXPECT_EQ(Counts("apiquota_decisions_total"),
            (CountMap{{"demo none allow on", 5}, {"demo breaker reject on", 1}}));
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyBreakerTest, OneProbeGoesAmongFiftyAndItsAnswerClosesIt) {
  std::atomic<bool> well{false};
  std::atomic<int> at_the_api{0};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty() && well) {
      ++at_the_api;
      std::this_thread::sleep_for(milliseconds(300));
      peer.Send(kOk);
    }
  });
  const guard::Options options = With(milliseconds(300));
  StartGuarded(upstream, options);
  Break();
  well = true;
  Lapse(options);
  std::atomic<int> served{0}, refused{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back([&] {
      const std::string answer = Ask(kGetOnce);
      served += answer.starts_with("HTTP/1.1 200 ");
      refused += answer.starts_with("HTTP/1.1 503 ") && answer.find("Retry-After: 1\r\n") != answer.npos;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served, at_the_api);
  EXPECT_EQ(served + refused, 50);
  EXPECT_EQ(Breaker().probes, 1U);
  Until([&] { return !Breaker().open; });
  EXPECT_EQ(StatusOf(kGetOnce), "200");
  EXPECT_EQ(Held(), 0U);
}

TEST_F(ProxyBreakerTest, AProbeThatFailsWaitsLongerForTheNext) {
  FakeUpstream upstream(Says({""}));
  const guard::Options options = With(milliseconds(300));
  StartGuarded(upstream, options);
  Break();
  Lapse(options);
  EXPECT_EQ(StatusOf(kGetOnce), "502");
  EXPECT_EQ(StatusOf(kGetOnce), "503");
  Lapse(options);
  EXPECT_EQ(StatusOf(kGetOnce), "503") << "it is open for twice as long";
  EXPECT_EQ(asked(), 6U);
}

TEST_F(ProxyBreakerTest, AProbeWhoseClientLeavesGivesItsPlaceToTheNext) {
  std::atomic<bool> well{false};
  std::atomic<int> at_the_api{0};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty() && well) {
      if (++at_the_api == 1) peer.ReadAll();
      peer.Send(kOk);
    }
  });
  const guard::Options options = With(milliseconds(300));
  StartGuarded(upstream, options);
  Break();
  well = true;
  Lapse(options);
  Peer client = Connect();
  client.Send(kGetOnce);
  Until([&] { return at_the_api == 1; });
  EXPECT_EQ(StatusOf(kGetOnce), "503");
  client.Reset();
  Until([&] { return Held() == 0; });
  EXPECT_EQ(StatusOf(kGetOnce), "200");
  Until([&] { return !Breaker().open; });
}

// The probe's outcome is no news of the breaker that comes after.
TEST_F(ProxyBreakerTest, AProbeThatIsOutOverReloadsHoldsUpNobody) {
  std::atomic<bool> well{false};
  std::atomic<int> at_the_api{0};
  std::atomic<bool> let_go{false};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty() && well) {
      if (++at_the_api == 1) {
        while (!let_go) std::this_thread::sleep_for(milliseconds(5));
        return;
      }
      peer.Send(kOk);
    }
  });
  const guard::Options options = With(milliseconds(300));
  StartGuarded(upstream, options);
  Break();
  well = true;
  Lapse(options);
  Peer probe = Connect();
  probe.Send(kGetOnce);
  Until([&] { return at_the_api == 1; });
  guard::Options without = options;
  without.breaker.reset();
  Reload(upstream, without);
  EXPECT_EQ(StatusOf(kGetOnce), "200");
  Reload(upstream, options);
  EXPECT_EQ(StatusOf(kGetOnce), "200");
  let_go = true;
  EXPECT_TRUE(probe.ReadAll().starts_with("HTTP/1.1 502 "));
  EXPECT_EQ(StatusOf(kGetOnce), "200");
  EXPECT_FALSE(Breaker().open);
  EXPECT_EQ(Held(), 0U);
}

// … nor does one whose agent stops, or whose api goes.
TEST_F(ProxyBreakerTest, AProbeThatIsOutWhenAllEndsComesBack) {
  std::atomic<bool> well{false};
  std::atomic<int> at_the_api{0};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty() && well) {
      ++at_the_api;
      peer.ReadAll();
    }
  });
  const guard::Options options = With(milliseconds(300));
  StartGuarded(upstream, options);
  Break();
  well = true;
  Lapse(options);
  Peer probe = Connect();
  probe.Send(kGetOnce);
  Until([&] { return at_the_api == 1; });
  const auto api = guard_.ApiFor("demo");
  EXPECT_TRUE(api->Ask({}, Now()).refusal) << "it is out";
  guard_.Configure({}, Now());
  proxy_->SetRoutes(Routes({}));
  EXPECT_TRUE(api->Ask({}, Now()).refusal) << "it still is";
  proxy_.reset();
  guard::ApiTurn next = api->Ask({}, Now());
  EXPECT_FALSE(next.refusal);
  EXPECT_FALSE(next.permit.Enter(Now()));
}

TEST_F(ProxyBreakerTest, ThrottlesAndClientsThatLeaveDoNotOpenIt) {
  FakeUpstream upstream(Says({Reply("429 Too Many Requests", "")}));
  StartGuarded(upstream, With(seconds(10)));
  for (int i = 0; i < 30; ++i) EXPECT_EQ(StatusOf(kGetOnce), "429");
  for (int i = 0; i < 10; ++i) {
    Peer client = Connect();
    client.Send(kGetOnce);
    client.Reset();
  }
  EXPECT_EQ(Held(), 0U);
  EXPECT_FALSE(Breaker().open);
}

TEST_F(ProxyBreakerTest, ServerErrorsAndBodiesThatBreakOffOpenIt) {
  FakeUpstream failing(Says({Reply("500 Internal Server Error", "")}));
  StartGuarded(failing, With(seconds(10)));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(StatusOf(kGetOnce), "500");
  EXPECT_EQ(StatusOf(kGetOnce), "503");
}

TEST_F(ProxyBreakerTest, AnAnswerThatIsCutShortIsNoSuccess) {
  FakeUpstream upstream(SaysOnce("Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"a\":"));
  OpensAfterFive(upstream);
}

// … whatever is known of it by its head.
TEST_F(ProxyBreakerTest, ATextThatIsCutShortIsNoSuccess) {
  FakeUpstream upstream(SaysOnce("Content-Type: text/plain\r\nContent-Length: 20\r\n\r\nonly a part"));
  OpensAfterFive(upstream);
}

TEST_F(ProxyBreakerTest, AStreamThatIsCutShortIsNoSuccess) {
  FakeUpstream upstream(
      SaysOnce("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n"));
  OpensAfterFive(upstream);
}

TEST_F(ProxyBreakerTest, AShadowRefusesNobodyAndCounts) {
  FakeUpstream upstream(Says({""}));
  guard::Options options = With(seconds(10));
  options.breaker->mode = guard::Mode::kShadow;
  StartGuarded(upstream, options);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(StatusOf(kGetOnce), "502");
  EXPECT_EQ(asked(), 8U);
  EXPECT_EQ(Counts("apiquota_decisions_total").at("demo breaker reject shadow"), 3);
}

// … and where nothing is in force beside it.
TEST_F(ProxyBreakerTest, AShadowAloneSeesWhatFailsBeforeItsBodyHasCome) {
  auto upstream = std::make_unique<FakeUpstream>(Says({std::string(kOk)}));
  guard::Options options = With(seconds(10));
  for (guard::Part* part :
       {static_cast<guard::Part*>(&options.pace), static_cast<guard::Part*>(&options.queue),
        static_cast<guard::Part*>(&options.retry), static_cast<guard::Part*>(&options.cooldown),
        static_cast<guard::Part*>(&*options.breaker)})
    part->mode = guard::Mode::kShadow;
  StartGuarded(*upstream, options);
  upstream.reset();
  for (int i = 0; i < 7; ++i) EXPECT_EQ(StatusOf(Post("", kChat)), "502");
  EXPECT_EQ(Counts("apiquota_decisions_total").at("demo breaker reject shadow"), 2);
}

}  // namespace
}  // namespace apiquota::proxy
