// Nothing happens without a counter and a word: the upstream's count is the sum of ours, and refusals say
// what is wrong.
#include <atomic>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

TEST_F(ProxyTest, WhateverReachedTheUpstreamIsCountedOnce) {
  std::atomic<int> reached{0};
  FakeUpstream upstream([&](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      ++reached;
      reached.notify_all();
      if (head.starts_with("GET /silent") || head.starts_with("POST /bad-chunk")) {
        peer.ReadAll();
      } else if (head.starts_with("GET /garbage")) {
        peer.Send("garbage\r\n\r\n");
        peer.ReadAll();
      } else if (head.starts_with("GET /half")) {
        return peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      } else if (head.starts_with("GET /ok")) {
        peer.Send(kOk);
      } else {
        return;
      }
    }
  });
  Start({Demo(upstream)});
  const auto ask = [](std::string_view path) {
    return "GET /demo" + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  };
  for (const std::string_view path : {"/ok", "/half", "/garbage", "/closed", "/ok"}) Ask(ask(path));
  {
    Peer client = Connect();
    const int before = reached;
    client.Send(
        "POST /demo/bad-chunk HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    reached.wait(before);
    client.Send("zz\r\n");
    EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 400 "));
  }
  for (int i = 0; i < 3; ++i) {
    Peer client = Connect();
    const int before = reached;
    client.Send(ask("/silent"));
    reached.wait(before);
  }
  const CountMap expected = {
      {"demo bad_response", 1}, {"demo client_gone", 4}, {"demo closed_early", 1}, {"demo truncated", 1}};
  for (int i = 0; i < 1000 && Counts("apiquota_upstream_errors_total") != expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), expected);
  EXPECT_EQ(Counts("apiquota_upstream_requests_total"), (CountMap{{"demo anonymous  GET 200 proxy", 3}}))
      << "the truncated one was answered";
  EXPECT_EQ(reached.load(), 1 + 4 + 1 + 3);
}

TEST_F(ProxyTest, AnUpstreamThatIsLeftWhileAnsweringIsNotCountedAsGone) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  {
    Peer client = Connect();
    client.Send(kGet);
    client.ReadUntil("half");
  }
  proxy_->Drain();
  EXPECT_EQ(Counts("apiquota_upstream_requests_total"), (CountMap{{"demo anonymous  GET 200 proxy", 1}}));
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), CountMap{});
}

TEST_F(ProxyTest, TlsAndHttp2OnThePlainPortAreToldInThoseWords) {
  FakeUpstream upstream([](Peer&) {});
  Start({Demo(upstream)});
  const std::string hello("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", 11);
  const std::string tls = "this port speaks plain HTTP/1.1, the client began with TLS; use an http:// URL";
  EXPECT_NE(Ask(hello).find(tls), std::string::npos);
  EXPECT_NE(Ask(hello.substr(0, 1)).find(tls), std::string::npos);
  EXPECT_NE(Ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                .find("this port speaks HTTP/1.1, the client began with "
                      "HTTP/2"),
            std::string::npos);
  EXPECT_EQ(Ask("\x16\x01").find("TLS"), std::string::npos);
}

}  // namespace
}  // namespace apiquota::proxy
