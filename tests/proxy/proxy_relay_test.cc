// What is relayed, byte for byte, in both directions.
#include <fmt/format.h>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

std::string Chunk(const std::string& data) { return fmt::format("{:x}\r\n{}\r\n", data.size(), data); }

TEST_F(ProxyTest, ForwardsARequestAndItsResponseWhole) {
  std::string seen;
  FakeUpstream upstream([&](Peer& peer) {
    seen = peer.ReadHead();
    peer.Send(
        "HTTP/1.1 200 Fine\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\nX-Odd:  v \r\nx-odd: w\r\n"
        "Connection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n\r\nhello");
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(
      "GET /demo/v1/a%2Fb?q=1%20&r=/../ HTTP/1.1\r\nHost: localhost:4290\r\nX-Empty:\r\n"
      "Authorization: Bearer sk\r\nConnection: X-Drop\r\nX-Drop: 1\r\nTE: trailers\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("hello"),
            "HTTP/1.1 200 Fine\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\nX-Odd: v\r\nx-odd: w\r\n"
            "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(seen, "GET /v1/a%2Fb?q=1%20&r=/../ HTTP/1.1\r\nHost: " + upstream.authority() +
                      "\r\nX-Empty: \r\nAuthorization: Bearer sk\r\nVia: 1.1 apiquota\r\n\r\n");
}

TEST_F(ProxyTest, KeepsBothConnectionsAlive) {
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  for (int i = 0; i < 20; ++i) {
    client.Send(kGet);
    ASSERT_EQ(client.Read(kOk.size()), kOk) << i;
  }
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(ProxyTest, PipelinedRequestsAreServedInOrder) {
  int served = 0;
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n" + std::to_string(served++));
    }
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(std::string(kGet) + std::string(kGet) + "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" +
              std::string(kGet));
  for (const char* end : {"\r\n\r\n0", "\r\n\r\n1", "}}\n", "\r\n\r\n2"}) {
    EXPECT_TRUE(client.ReadUntil(end).ends_with(end)) << end;
  }
}

TEST_F(ProxyTest, AChunkedRequestBodyArrivesAsItIsSent) {
  std::string head;
  std::string first;
  std::string rest;
  FakeUpstream upstream([&](Peer& peer) {
    head = peer.ReadHead();
    first = peer.ReadUntil("\r\nfirst\r\n");
    peer.Send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");  // so that the client knows
    rest = peer.ReadUntil("0\r\n\r\n");
    peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(
      "POST /demo/up HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nfirst\r\n");
  EXPECT_EQ(client.ReadHead(), "HTTP/1.1 103 Early Hints\r\nLink: </demo/a>\r\n\r\n");
  client.Send("6\r\nsecond\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(client.Read(kOk.size()), kOk);
  EXPECT_EQ(head, "POST /up HTTP/1.1\r\nHost: " + upstream.authority() +
                      "\r\nVia: 1.1 apiquota\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(first, Chunk("first"));
  EXPECT_EQ(rest, Chunk("second") + "0\r\n\r\n");
}

TEST_F(ProxyTest, ALongRequestBodyOfKnownLengthArrivesWhole) {
  std::string body(3 << 20, 'x');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 7 % 26);
  std::string seen;
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    seen = peer.Read(body.size());
    peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("POST /demo/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  client.Send(body);
  EXPECT_EQ(client.Read(kOk.size()), kOk);
  EXPECT_EQ(seen, body);
}

TEST_F(ProxyTest, EverySseEventLeavesInTheTurnItArrives) {
  int tokens[2];
  ASSERT_EQ(pipe(tokens), 0);
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
        "chunked\r\n\r\n");
    char token;
    for (int i = 0; read(tokens[0], &token, 1) == 1; ++i) {
      if (token == 'e') break;
      peer.Send(Chunk("data: " + std::to_string(i) + "\n\n"));
    }
    peer.Send("0\r\n\r\n");
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(
      client.ReadHead(),
      "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(write(tokens[1], "c", 1), 1);  // the next event is only sent once this one has been seen
    ASSERT_EQ(client.ReadUntil("\n\n\r\n"), Chunk("data: " + std::to_string(i) + "\n\n"));
  }
  ASSERT_EQ(write(tokens[1], "e", 1), 1);
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
  close(tokens[0]);
  close(tokens[1]);
}

TEST_F(ProxyTest, ABodyThatEndsWithTheConnectionIsChunkedForHttp11AndRawForHttp10) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\n\r\nuntil the end");
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("until the end") +
                "0\r\n\r\n");
  EXPECT_EQ(Ask("GET /demo/v1/models HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\nuntil the end");
}

TEST_F(ProxyTest, AnHttp10ClientIsNotSentChunks) {
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("hello ") +
              Chunk("world") + "0\r\n\r\n");
    peer.ReadAll();
  });
  Start({Demo(upstream)});
  EXPECT_EQ(Ask("GET /demo/v1/models HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\nhello world");
}

TEST_F(ProxyTest, BodilessResponsesKeepTheirConnections) {
  FakeUpstream upstream([&](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (head.starts_with("HEAD")) peer.Send("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1000\r\n\r\n");
      if (head.starts_with("DELETE")) peer.Send("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n");
      if (head.starts_with("GET")) peer.Send("HTTP/1.1 304 Not Modified\r\nDate: x\r\nETag: \"a\"\r\n\r\n");
    }
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send("HEAD /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.ReadHead(), "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1000\r\n\r\n");
  client.Send("DELETE /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.ReadHead(), "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n");
  client.Send(kGet);
  EXPECT_EQ(client.ReadHead(), "HTTP/1.1 304 Not Modified\r\nDate: x\r\nETag: \"a\"\r\n\r\n");
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(ProxyTest, InterimResponsesPassExceptForHttp10Clients) {
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      peer.Send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
                std::string(kOk));
    }
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_EQ(client.ReadUntil("\r\n\r\nok"),
            "HTTP/1.1 103 Early Hints\r\nLink: </demo/a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
                std::string(kOk));
  EXPECT_EQ(Ask("GET /demo/ HTTP/1.0\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(ProxyTest, ExpectContinueIsAnsweredWhenTheBodyIsWanted) {
  std::string seen;
  FakeUpstream upstream([&](Peer& peer) {
    seen = peer.ReadUntil("body");
    peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  client.Send(
      "POST /demo/up HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.ReadHead(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_EQ(client.Read(kOk.size()), kOk);
  EXPECT_EQ(seen, "POST /up HTTP/1.1\r\nHost: " + upstream.authority() +
                      "\r\nVia: 1.1 apiquota\r\nContent-Length: 4\r\n\r\nbody");
}

TEST_F(ProxyTest, ReloadedRoutesServeNewRequestsOnOpenConnections) {
  FakeUpstream upstream([&](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  apis::ApiOptions other = Demo(upstream);
  other.route = "/other";
  for (int i = 0; i < 50; ++i) {
    client.Send(kGet);
    ASSERT_EQ(client.Read(kOk.size()), kOk) << i;
    proxy_->SetRoutes(i % 2 == 0 ? Routes({other, Demo(upstream)}) : Routes({Demo(upstream)}));
  }
}

TEST_F(ProxyTest, AConnectionIsNotKeptLongerThanTheUpstreamSaysItDoes) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      peer.Send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    EXPECT_EQ(client.ReadUntil("\r\n\r\nok").substr(9, 3), "200");
  }
  EXPECT_EQ(upstream.connections(), 3U);
}

}  // namespace
}  // namespace apiquota::proxy
