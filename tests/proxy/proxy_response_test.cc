// What upstreams say that is not as the grammar has it, or leads away.
#include <gtest/gtest.h>

#include "http/interim.h"
#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

constexpr std::string_view kAskAndClose =
    "GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

std::string Verdict(const std::string& answer) {
  const size_t error = answer.find("Proxy-Status: apiquota; error=");
  if (error == std::string::npos) return answer.substr(0, answer.find("\r\n"));
  const size_t from = error + sizeof "Proxy-Status: apiquota; error=" - 1;
  return answer.substr(9, 3) + " " + answer.substr(from, answer.find(';', from) - from);
}

TEST_F(ProxyTest, EndlessInterimResponsesAreABadGatewayManyAreNot) {
  constexpr std::string_view kInterim = "HTTP/1.1 102 Processing\r\n\r\n";
  std::string many;
  for (int i = 0; i < 1000; ++i) many += kInterim;
  FakeUpstream upstream([&](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (!head.contains("/endless")) {
        peer.Send(many + std::string(kOk));
        continue;
      }
      for (int i = 0; i < 3; ++i) peer.Send(many);
    }
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(client.ReadUntil("\r\n\r\nok"), many + std::string(kOk));
  const std::string answer =
      Ask("GET /demo/endless HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const size_t last = answer.rfind("HTTP/1.1 ");
  EXPECT_LE(last, http::kInterimBytesMax);
  EXPECT_EQ(Verdict(answer.substr(last)), "502 http_protocol_error");
  EXPECT_EQ(CountsOnce("apiquota_upstream_errors_total", 1), (CountMap{{"demo interim_limit", 1}}));
}

TEST_F(ProxyTest, WhyAResponseWasRefusedIsSaid) {
  const struct {
    std::string reply, reason, details;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n", "bad_response",
       "the upstream's response is not valid HTTP/1.1: a CR that is not followed by LF (line_ending)"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'y') + "\r\n\r\n", "response_head_size",
       "the head of the upstream's response is longer than head_bytes_max: the head is too long (head_size)"},
  };
  for (const auto& c : cases) {
    FakeUpstream upstream([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(c.reply);
      peer.ReadAll();
    });
    Start({Demo(upstream)});
    const std::string answer = Ask(kAskAndClose);
    EXPECT_TRUE(answer.contains("; details=\"" + c.details + "\"\r\n")) << answer;
    EXPECT_EQ(CountsOnce("apiquota_upstream_errors_total", 1)["demo " + c.reason], 1) << answer;
    proxy_.reset();
  }
}

TEST_F(ProxyTest, AClientThatFollowsAddressesStaysBehindTheAgent) {
  FakeUpstream upstream([](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      const size_t host = head.find("Host: ") + 6;
      const std::string base = "http://" + head.substr(host, head.find("\r\n", host) - host);
      peer.Send("HTTP/1.1 307 Temporary Redirect\r\nLocation: /next\r\nLink: <" + base +
                "/v1/models?page=2>; rel=\"next\", <https://elsewhere/>\r\nContent-Length: 0\r\n\r\n");
    }
  });
  apis::ApiOptions plain = Demo(upstream);
  plain.name = "plain";
  plain.route = "/plain";
  plain.rewrite_links = false;
  Start({Demo(upstream), plain});
  Peer client = Connect();
  client.Send("GET /demo/v1/models HTTP/1.1\r\nHost: agent.localhost:4290\r\n\r\n");
  EXPECT_TRUE(client.ReadHead().contains(
      "Location: /demo/next\r\nLink: <http://agent.localhost:4290/demo/v1/models?page=2>; rel=\"next\", "
      "<https://elsewhere/>\r\n"));
  client.Send("GET /plain/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string base = "http://" + upstream.authority();
  EXPECT_TRUE(
      client.ReadHead().contains("Location: /next\r\nLink: <" + base + "/v1/models?page=2>; rel=\"next\","))
      << "as the operator wants it";
}

TEST_F(ProxyTest, AStatusOfAServersOwnIsRelayedAndCounted) {
  FakeUpstream upstream([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 999 Request denied\r\nContent-Length : 2\r\n\r\nno");
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  const std::string answer = client.ReadUntil("\r\n\r\nno");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 999 Request denied\r\n")) << answer;
  EXPECT_EQ(CountsOnce("apiquota_proxy_requests_total", 1).size(), 1U);
}

}  // namespace
}  // namespace apiquota::proxy
