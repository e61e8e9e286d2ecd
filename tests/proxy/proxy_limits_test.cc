// Timeouts, limits, draining.
#include <atomic>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;

std::string Rule(const std::string& answer) {
  const size_t at = answer.find("\"rule\":\"");
  if (at == std::string::npos) return answer;
  return answer.substr(9, 3) + " " + answer.substr(at + 8, answer.find('"', at + 8) - at - 8);
}

TEST_F(ProxyTest, AHeadThatDripsIsCutOff) {
  options_.head_timeout = milliseconds(300);
  Start({});
  Peer client = Connect();
  client.Send("GET /demo HTTP/1.1\r\nHo");
  EXPECT_EQ(Rule(client.ReadAll()), "408 head_timeout");
  EXPECT_EQ(Counts("apiquota_http_rejected_total"), (CountMap{{"head_timeout", 1}}));
  Peer silent = Connect();
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(silent.end(), Peer::End::kFin);
}

TEST_F(ProxyTest, AnIdleClientIsLetGo) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send(kOk);
  });
  options_.client_idle_timeout = milliseconds(200);
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(client.ReadAll(), kOk);
  EXPECT_EQ(Counts("apiquota_http_rejected_total"), CountMap{});
}

TEST_F(ProxyTest, ABodyThatStandsStillIsCutOff) {
  std::atomic<bool> cancelled = false;
  FakeUpstream upstream([&](Peer& peer) {
    cancelled = peer.ReadHead().empty() || !peer.ReadAll().empty();
    cancelled = true;
    cancelled.notify_all();
  });
  options_.body_idle_timeout = milliseconds(300);
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(Rule(client.ReadAll()), "408 body_timeout");
  cancelled.wait(false);
}

TEST_F(ProxyTest, AClientThatStopsReadingIsCutOff) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n");
    peer.Send(std::string(64'000'000, 'x'));
  });
  options_.body_idle_timeout = milliseconds(300);
  Start({Demo(upstream)});
  Peer client = Connect(16 * 1024);
  client.Send(kGet);
  EXPECT_EQ(CountsOnce("apiquota_http_rejected_total", 1), (CountMap{{"body_timeout", 1}}));
}

TEST_F(ProxyTest, AnUpstreamThatDoesNotAnswerIsAGatewayTimeout) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  options_.first_byte_timeout = milliseconds(300);
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(Rule(client.ReadUntil("}}\n")), "504 first_byte_timeout");
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"demo 504", 1}}));
}

TEST_F(ProxyTest, AResponseThatStandsStillIsCutOff) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\nhalf");
    peer.ReadAll();
  });
  options_.upstream_idle_timeout = milliseconds(300);
  Start({Demo(upstream)});
  EXPECT_EQ(Ask(kGet), "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"demo idle_timeout", 1}}));
}

TEST_F(ProxyTest, RequestsQueueForTheConnectionsThereAreUpToALimit) {
  std::atomic<bool> answer = false;
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      answer.wait(false);
      peer.Send(kOk);
    }
  });
  options_.upstream_connections_max = 1;
  options_.upstream_queue_max = 1;
  Start({Demo(upstream)});
  Peer clients[] = {Connect(), Connect(), Connect()};
  std::string refused;
  for (Peer& client : clients) client.Send(kGet);
  EXPECT_EQ(CountsOnce("apiquota_upstream_errors_total", 1), (CountMap{{"demo queue_full", 1}}));
  answer = true;
  answer.notify_all();
  int ok = 0;
  for (Peer& client : clients) {
    const std::string status = client.Read(12);
    if (status == "HTTP/1.1 200") ++ok;
    if (status == "HTTP/1.1 503") refused = status;
  }
  EXPECT_EQ(ok, 2);
  EXPECT_EQ(refused, "HTTP/1.1 503");
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(ProxyTest, AFullQueueGivesUpInTime) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  options_.upstream_connections_max = 1;
  options_.connect_timeout = milliseconds(200);
  options_.tls_timeout = milliseconds(100);
  Start({Demo(upstream)});
  Peer first = Connect();
  first.Send(kGet);
  while (upstream.connections() < 1) std::this_thread::yield();
  Peer second = Connect();
  second.Send(kGet);
  EXPECT_EQ(Rule(second.ReadUntil("}}\n")), "503 queue_timeout");
}

TEST_F(ProxyTest, TooManyClientsAreTurnedAway) {
  options_.clients_max = 1;
  Start({});
  Peer first = Connect();
  first.Send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(Rule(first.ReadUntil("}}\n")), "404 no_route");
  EXPECT_EQ(Rule(Ask(kGet)), "503 clients_max");
}

TEST_F(ProxyTest, OversizedHeadsAreRefusedByTheirOwnStatus) {
  options_.head_bytes_max = 8192;
  options_.target_bytes_max = 1024;
  options_.fields_max = 20;
  Start({});
  const std::string host = " HTTP/1.1\r\nHost: localhost\r\n";
  std::string many;
  for (int i = 0; i < 20; ++i) many += "x: y\r\n";
  EXPECT_EQ(Rule(Ask("GET /" + std::string(2000, 'a') + host + "\r\n")), "414 target");
  EXPECT_EQ(Rule(Ask("GET /" + host + "x: " + std::string(9000, 'a') + "\r\n\r\n")), "431 head_size");
  EXPECT_EQ(Rule(Ask("GET /" + host + many + "\r\n")), "431 field_count");
  EXPECT_EQ(Counts("apiquota_http_rejected_total"),
            (CountMap{{"target", 1}, {"head_size", 1}, {"field_count", 1}}));
}

TEST_F(ProxyTest, HeadsAsLongAsTheLimitSaysPassBothWays) {
  options_.head_bytes_max = 1024 * 1024;
  const std::string field = "x: " + std::string(900'000, 'a') + "\r\n";
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send("HTTP/1.1 200 OK\r\n" + field + "Content-Length: 0\r\n\r\n");
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send("GET /demo/ HTTP/1.1\r\nHost: localhost\r\n" + field + "\r\n");
    EXPECT_TRUE(client.ReadHead().contains(field));
  }
  client.Send("GET /demo/ HTTP/1.1\r\nHost: localhost\r\nx: " + std::string(1024 * 1024, 'a') + "\r\n\r\n");
  EXPECT_EQ(Rule(client.ReadAll()), "431 head_size");
}

TEST_F(ProxyTest, SmugglingIsRefusedAndTheConnectionClosed) {
  std::atomic<int> seen{0};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) ++seen;
  });
  Start({Demo(upstream)});
  const std::string post = "POST /demo/ HTTP/1.1\r\nHost: localhost\r\n";
  const std::string next = "GET /demo/evil HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const struct {
    std::string request;
    std::string rule;
  } cases[] = {
      {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 transfer_encoding"},
      {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400 content_length"},
      {post + "Content-Length : 5\r\n\r\nhello", "400 field_name"},
      {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400 transfer_encoding"},
      {"GET /demo/ HTTP/1.1\r\n\r\n", "400 host"},
      {"GET /demo/ HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400 host"},
      {post + "X: a\r\n b\r\n\r\n", "400 obs_fold"},
  };
  for (const auto& c : cases) EXPECT_EQ(Rule(Ask(c.request + next)), c.rule) << c.request;
  EXPECT_EQ(seen.load(), 0);
}

TEST_F(ProxyTest, DrainFinishesWhatIsUnderWayAndClosesTheRest) {
  std::atomic<bool> asked = false;
  std::atomic<bool> answer = false;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    asked = true;
    asked.notify_all();
    answer.wait(false);
    peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer idle = Connect();
  idle.Send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.ReadUntil("}}\n");
  Peer busy = Connect();
  busy.Send(kGet);
  asked.wait(false);
  std::thread drain([&] { proxy_->Drain(); });
  EXPECT_TRUE(idle.AtEnd());
  answer = true;
  answer.notify_all();
  EXPECT_EQ(busy.ReadAll(),
            "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\nContent-Length: 2\r\nConnection: "
            "close\r\n\r\nok");
  busy.Close();
  drain.join();
}

TEST_F(ProxyTest, AResponseThatBeganBeforeTheDrainEndsItsConnectionToo) {
  std::atomic<bool> finish = false;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\nfirst");
    finish.wait(false);
    peer.Send("after");
  });
  Start({Demo(upstream)});
  Peer idle = Connect();
  idle.Send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.ReadUntil("}}\n");
  Peer busy = Connect();
  busy.Send(kGet);
  busy.ReadUntil("first");
  std::thread drain([&] { proxy_->Drain(); });
  EXPECT_TRUE(idle.AtEnd());
  finish = true;
  finish.notify_all();
  EXPECT_EQ(busy.ReadAll(), "after");
  busy.Close();
  drain.join();
}

TEST_F(ProxyTest, DrainDoesNotWaitForever) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  options_.drain_timeout = milliseconds(200);
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  while (upstream.connections() < 1) std::this_thread::yield();
  proxy_->Drain();
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ProxyTest, APortInUseIsSaidInOneSentence) {
  Start({});
  ProxyOptions second = options_;
  second.listen.port = proxy_->port();
  const auto refused = Proxy::Start(second, Routes({}), {RealClock(), ledger_, metrics_, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "127.0.0.1:" + std::to_string(second.listen.port) + ": the address is in use by another program");
}

}  // namespace
}  // namespace apiquota::proxy
