#include "net/http_client.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <future>
#include <memory>

#include "net/gzip.h"
#include "tests/net/http_client_kit.h"

namespace apiquota::net {
namespace {

using std::chrono::milliseconds;

std::string FieldsText(const http::Fields& fields) {
  std::string text;
  for (size_t i = 0; i < fields.size(); ++i) {
    text.append(fields[i].name).append("=").append(fields[i].value).append(";");
  }
  return text;
}

TEST_F(HttpClientTest, AnAnswerArrivesWhole) {
  Make();
  FakeUpstream upstream(
      Answering("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                "HTTP/1.1 429 Slow Down\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n"));
  const ClientResult result = Ask(To(upstream));
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_EQ(result.status, 429);
  EXPECT_EQ(FieldsText(result.fields), "X-A=1;x-a=2;Transfer-Encoding=chunked;") << "no hints, no trailers";
  EXPECT_EQ(result.body, "hello");
  EXPECT_TRUE(result.body_whole);
  EXPECT_GT(result.head_at.at, SystemTime());
  EXPECT_EQ(sent_, 1);
}

TEST_F(HttpClientTest, TheRequestIsWhatWasAskedForAndNoMore) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  Make({.user_agent = "apiquota/1"});
  std::promise<std::string> head;
  FakeUpstream upstream([&](Peer& peer) {
    head.set_value(peer.ReadHead());
    peer.Send(kOk);
    peer.ReadAll();
  });
  ClientRequest request = To(upstream, "/a/../b/%2e?q=1");
  request.fields = {
      {"authorization", "Bearer k"}, {"x-empty", ""}, {"x-bad", "a\r\nInjected: 1"}, {"x y", "1"}};
  EXPECT_EQ(Ask(request).status, 200);
  unsetenv("http_proxy");
  std::string text = head.get_future().get();
  const size_t encodings = text.find("Accept-Encoding: ");
  text.erase(encodings, text.find("\r\n", encodings) + 2 - encodings);
  EXPECT_EQ(text, "GET /a/../b/%2e?q=1 HTTP/1.1\r\nHost: " + upstream.authority() +
                      "\r\nUser-Agent: apiquota/1\r\nauthorization: Bearer k\r\nx-empty:\r\n\r\n");
}

TEST_F(HttpClientTest, HeadHasNoBody) {
  Make();
  FakeUpstream upstream(Answering("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"));
  ClientRequest request = To(upstream);
  request.method = "HEAD";
  const ClientResult result = Ask(request);
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_EQ(FieldsText(result.fields), "Content-Length=50;");
  EXPECT_EQ(result.body, "");
}

TEST_F(HttpClientTest, ConnectionsAreUsedAgain) {
  Make();
  FakeUpstream upstream(Answering(std::string(kOk)));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(To(upstream)).body, "hello");
  EXPECT_EQ(upstream.connections(), 1u);
}

TEST_F(HttpClientTest, NoMoreThanSoManyAtATime) {
  Make({.requests_max = 3});
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      const int here = ++now;
      for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) {
      }
      std::this_thread::sleep_for(milliseconds(5));
      --now;
      peer.Send(kOk);
    }
  });
  std::vector<std::future<ClientResult>> results;
  for (int i = 0; i < 30; ++i) results.push_back(Begin(To(upstream)));
  for (auto& result : results) EXPECT_EQ(result.get().status, 200);
  EXPECT_EQ(most, 3);
}

TEST_F(HttpClientTest, ARedirectIsAnAnswer) {
  Make();
  FakeUpstream elsewhere(Answering(std::string(kOk)));
  FakeUpstream upstream(Answering("HTTP/1.1 302 Found\r\nLocation: http://" + elsewhere.authority() +
                                  "/\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(Ask(To(upstream)).status, 302);
  EXPECT_EQ(elsewhere.connections(), 0u);
}

TEST_F(HttpClientTest, PrivateAddressesNeedTheOperatorsWord) {
  Make();
  FakeUpstream upstream(Answering(std::string(kOk)));
  EXPECT_EQ(Ask(To(upstream)).status, 200);
  ClientRequest forbidden = To(upstream);
  forbidden.private_allowed = false;
  EXPECT_EQ(Ask(forbidden).error, ClientError::kForbidden) << "though a connection is at hand";
  forbidden.url = "http://localhost:" + std::to_string(upstream.port()) + "/";
  EXPECT_EQ(Ask(forbidden).error, ClientError::kForbidden);
  EXPECT_EQ(sent_, 1);
  EXPECT_EQ(upstream.connections(), 1u);
}

TEST_F(HttpClientTest, TheAgentsOwnListenersAreNeverAsked) {
  FakeUpstream own(Answering(std::string(kOk)));
  Make({.own_ports = {own.port()}});
  for (const char* host :
       {"127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"}) {
    ClientRequest request = To(own);
    request.url = "http://" + std::string(host) + ":" + std::to_string(own.port()) + "/";
    EXPECT_TRUE(Ask(request).error.has_value()) << host;
  }
  EXPECT_EQ(own.connections(), 0u);
}

TEST_F(HttpClientTest, OtherSchemesAreRefused) {
  Make();
  FakeUpstream upstream(Answering(std::string(kOk)));
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "://", ""}) {
    ClientRequest request = To(upstream);
    request.url = url;
    EXPECT_TRUE(Ask(request).error.has_value()) << url;
  }
  EXPECT_EQ(sent_, 0);
}

TEST_F(HttpClientTest, EachFailureHasItsName) {
  Make({.connect_timeout = milliseconds(400), .timeout = milliseconds(400)});
  EXPECT_EQ(ErrorOf(""), ClientError::kClosedEarly);
  EXPECT_EQ(ErrorOf("reset"), ClientError::kClosedEarly);
  EXPECT_EQ(ErrorOf("hang"), ClientError::kFirstByteTimeout);
  EXPECT_EQ(ErrorOf("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"), ClientError::kIdleTimeout);
  EXPECT_EQ(ErrorOf("garbage\r\n\r\n"), ClientError::kBadResponse);
  EXPECT_EQ(ErrorOf("HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 0\r\n\r\n"), ClientError::kBadResponse);
  ClientRequest nowhere;
  nowhere.url = "http://no-such-name.invalid/";
  EXPECT_EQ(Ask(nowhere).error, ClientError::kDns);
  uint16_t closed_port = 0;
  {
    closed_port = FakeUpstream(Answering("")).port();
  }
  nowhere.url = "http://127.0.0.1:" + std::to_string(closed_port) + "/";
  nowhere.private_allowed = true;
  EXPECT_EQ(Ask(nowhere).error, ClientError::kRefused);
  FakeUpstream cut([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal");
  });
  EXPECT_EQ(Ask(To(cut)).error, ClientError::kTruncated);
}

TEST_F(HttpClientTest, ALackOfDescriptorsIsNotTheUpstreamsRefusal) {
  Make();
  const std::string port = std::to_string(FakeUpstream(Answering("")).port());  // closed again
  ClientRequest by_address;
  by_address.url = "http://127.0.0.1:" + port + "/";
  by_address.private_allowed = true;
  ClientRequest by_name = by_address;
  by_name.url = "http://localhost:" + port + "/";
  EXPECT_EQ(Ask(by_address).error, ClientError::kRefused);
  EXPECT_EQ(Ask(by_name).error, ClientError::kRefused);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto to_the_address = Ask(by_address).error;
  const auto to_the_name = Ask(by_name).error;
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(to_the_address, ClientError::kLocalLimit);
  EXPECT_EQ(to_the_name, ClientError::kLocalLimit);
}

TEST_F(HttpClientTest, AnAddressNoRouteLeadsToDoesNotCountAsARefusal) {
  Make();
  ClientRequest request;
  request.url = "http://255.255.255.255/";
  request.private_allowed = true;
  EXPECT_EQ(Ask(request).error, ClientError::kUnreachable);
}

TEST_F(HttpClientTest, ABodyBeyondItsBoundIsNotRead) {
  Make({.body_bytes_max = 100});
  FakeUpstream upstream(
      Answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'b')));
  const ClientResult result = Ask(To(upstream));
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.body, std::string(100, 'b'));
  EXPECT_FALSE(result.body_whole);
}

TEST_F(HttpClientTest, CompressedBodiesAreUndoneWithinTheBound) {
  Make({.body_bytes_max = 1000});
  const auto answer = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  };
  FakeUpstream small(Answering(answer(Gzip("hello"))));
  EXPECT_EQ(Ask(To(small)).body, "hello");
  FakeUpstream bomb(Answering(answer(Gzip(std::string(10'000'000, 'x')))));
  EXPECT_EQ(Ask(To(bomb)).body, std::string(1000, 'x'));
  FakeUpstream broken(Answering(answer("no gzip")));
  const ClientResult result = Ask(To(broken));
  EXPECT_EQ(result.status, 200);
  EXPECT_FALSE(result.body_whole);
}

TEST_F(HttpClientTest, NothingIsSentASecondTime) {
  Make();
  std::atomic<int> requests{0};
  FakeUpstream upstream([&](Peer& peer) {
    if (peer.ReadHead().empty()) return;
    ++requests;
    peer.Send(kOk);
    if (peer.ReadHead().empty()) return;
    ++requests;
    peer.Reset();
  });
  EXPECT_EQ(Ask(To(upstream)).status, 200);
  EXPECT_EQ(Ask(To(upstream)).error, ClientError::kClosedEarly) << "though libcurl would try again";
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(sent_, 2);
}

TEST_F(HttpClientTest, TheEndCallsNobodyBack) {
  Make();
  FakeUpstream upstream(Answering("hang"));
  auto pending = Begin(To(upstream));
  while (sent_ == 0) std::this_thread::yield();
  loop_.Stop();
  client_.reset();
  EXPECT_EQ(pending.wait_for(milliseconds(0)), std::future_status::ready) << "broken: its promise is gone";
  EXPECT_THROW(pending.get(), std::future_error);
}

}  // namespace
}  // namespace apiquota::net
