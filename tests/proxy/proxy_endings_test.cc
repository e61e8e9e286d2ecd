// How connections end, and what a slow client may hold: nothing is cut that is still being taken, nothing
// that was cut looks whole, and nobody keeps a place by a byte now and then.
#include <atomic>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kGet10 =
    "GET /demo/v1/models HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";

TEST_F(ProxyTest, ADrainDoesNotCutAnswersThatAreStillBeingRead) {
  const std::string body(8'000'000, 'x');
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
      peer.Send(body);
    }
  });
  options_.buffer_high_bytes =
      64 * 1024 * 1024;  // the answer is complete for the proxy long before it is read
  options_.buffer_low_bytes = 32 * 1024 * 1024;
  Start({Demo(upstream)});
  Peer client = Connect(16 * 1024);
  client.Send(kGet);
  client.ReadHead();
  CountsOnce("apiquota_upstream_duration_seconds", 1);
  std::thread drain([this] { proxy_->Drain(); });
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(client.Read(body.size()).size(), body.size());
  drain.join();
}

TEST_F(ProxyTest, ACompleteAnswerThatNobodyReadsIsNotKeptForEver) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 16000000\r\n\r\n");
    peer.Send(std::string(16'000'000, 'x'));
    peer.ReadAll();
  });
  options_.buffer_high_bytes = 64 * 1024 * 1024;
  options_.buffer_low_bytes = 32 * 1024 * 1024;
  options_.body_idle_timeout = milliseconds(300);
  Start({Demo(upstream)});
  Peer client = Connect(16 * 1024);
  client.Send(kGet);
  EXPECT_EQ(CountsOnce("apiquota_http_rejected_total", 1), (CountMap{{"body_timeout", 1}}));
}

TEST_F(ProxyTest, ACloseDelimitedResponseThatIsCutIsReset) {
  std::atomic<bool> done = false;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    done.wait(false);
  });
  options_.upstream_idle_timeout = milliseconds(200);
  options_.drain_timeout = milliseconds(300);
  Start({Demo(upstream)});
  Peer late = Connect();
  late.Send(kGet10);
  EXPECT_TRUE(late.ReadAll().ends_with("half"));
  EXPECT_EQ(late.end(), Peer::End::kReset) << "of an upstream that stands still";

  options_.upstream_idle_timeout = seconds(60);
  Start({Demo(upstream)});
  Peer drained = Connect();
  drained.Send(kGet10);
  EXPECT_TRUE(drained.ReadUntil("half").ends_with("half"));
  proxy_->Drain();
  drained.ReadAll();
  EXPECT_EQ(drained.end(), Peer::End::kReset) << "at the end of the drain";
  done = true;
  done.notify_all();
}

TEST_F(ProxyTest, ACompleteCloseDelimitedResponseEndsWithAFin) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfull\r\n0\r\n\r\n");
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet10);
  EXPECT_TRUE(client.ReadAll().ends_with("full"));
  EXPECT_EQ(client.end(), Peer::End::kFin);
}

TEST_F(ProxyTest, AnHttp10ClientIsToldThatItMayStay) {
  Start({});
  Peer client = Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send("GET /nope HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(client.ReadUntil("}}\n").contains("\r\nConnection: keep-alive\r\n"));
  }
}

TEST_F(ProxyTest, ABodyThatOnlyDripsIsCutOff) {
  std::atomic<bool> cancelled = false;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadAll();
    cancelled = true;
    cancelled.notify_all();
  });
  options_.body_idle_timeout = milliseconds(400);
  options_.body_rate_min = 1000;
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  std::thread drip([&] {
    while (!cancelled) {
      client.Send("x");
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  EXPECT_TRUE(client.ReadUntil("}}\n").contains("\"body_timeout\""));
  cancelled.wait(false);
  drip.join();
}

TEST_F(ProxyTest, AReaderThatStopsAfterAGoodStartIsCut) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n");
    peer.Send(std::string(64'000'000, 'x'));
  });
  options_.body_idle_timeout = seconds(2);
  Start({Demo(upstream)});
  Peer client = Connect(16 * 1024);
  client.Send(kGet);
  EXPECT_EQ(CountsOnce("apiquota_http_rejected_total", 1), (CountMap{{"body_timeout", 1}}));
}

TEST_F(ProxyTest, ABodyThatMovesFastEnoughIsNot) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Read(40);
    peer.Send(kOk);
    peer.ReadAll();
  });
  options_.body_idle_timeout = milliseconds(300);
  options_.body_rate_min = 16;
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n");
  for (int i = 0; i < 40; ++i) {
    client.Send("x");
    std::this_thread::sleep_for(milliseconds(25));
  }
  EXPECT_EQ(client.Read(kOk.size()), kOk);
}

TEST_F(ProxyTest, ASlowUploaderCanReadWhyItWasRefused) {
  Start({});
  Peer client = Connect();
  client.Send("POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  for (int i = 0; i < 35; ++i) {  // longer than one pause of lingering
    client.Send(std::string(100, 'x'));
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 404"));
  EXPECT_EQ(client.end(), Peer::End::kFin);
}

TEST_F(ProxyTest, TheFirstByteOfABodyMayTakeAsLongAsThatOfAHead) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(900));
    peer.Send("4\r\nword\r\n0\r\n\r\n");
    peer.ReadAll();
  });
  options_.upstream_idle_timeout = milliseconds(200);
  options_.first_byte_timeout = seconds(5);
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_TRUE(client.ReadUntil("0\r\n\r\n").contains("word"));
}

TEST_F(ProxyTest, AHeadWithoutABodyToFollowIsNotSaidToStandStill) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.ReadAll();
  });
  options_.first_byte_timeout = milliseconds(200);
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  client.ReadAll();
  EXPECT_EQ(CountsOnce("apiquota_upstream_errors_total", 1), (CountMap{{"demo first_byte_timeout", 1}}));
}

TEST_F(ProxyTest, AnApiMayHaveTimeoutsOfItsOwn) {
  FakeUpstream upstream([](Peer& peer) { peer.ReadAll(); });
  apis::ApiOptions api = Demo(upstream);
  api.timeouts.first_byte = milliseconds(200);
  Start({api});
  EXPECT_TRUE(Connect().fd() >= 0);
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_TRUE(client.ReadUntil("}}\n").contains("first_byte_timeout"));
}

}  // namespace
}  // namespace apiquota::proxy
