#include <gmock/gmock.h>
#include <zlib.h>

#include "tests/net/admin_kit.h"

namespace apiquota::net {
namespace {

std::string Inflated(const std::string& gzip) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1024 * 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST_F(AdminServerTest, AnAnswerIsGolden) {
  EXPECT_EQ(Ask("GET /hello?to=you HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Expected("200 OK", "", "hello to=you\n"));
}

TEST_F(AdminServerTest, HeadIsGetWithoutTheBody) {
  TcpClient client(server_->port());
  client.Send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string expected = Expected("200 OK", "", "hello \n");
  EXPECT_EQ(client.ReadAll(), expected.substr(0, expected.size() - 9) + "Connection: close\r\n\r\n");
}

TEST_F(AdminServerTest, UnknownPathsAndMethodsAreSaidSo) {
  EXPECT_EQ(Ask("GET /hello/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Expected("404 Not Found", "", "no such page\n"));
  EXPECT_EQ(Ask("GET /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Expected("405 Method Not Allowed", "Allow: POST\r\n", "this page takes other methods: POST\n"));
  EXPECT_EQ(Ask("DELETE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Expected("405 Method Not Allowed", "Allow: GET, HEAD\r\n",
                     "this page takes other methods: GET, HEAD\n"));
  EXPECT_EQ(reloads_, 0);
}

TEST_F(AdminServerTest, PathsAreNotDecoded) {
  EXPECT_EQ(StatusOf("GET /a%2Fb HTTP/1.1", "Host: localhost\r\n"), "HTTP/1.1 200 OK");
  for (const char* path : {"/hello%00", "/x/../hello"})
    EXPECT_EQ(StatusOf(std::string("GET ") + path + " HTTP/1.1", "Host: localhost\r\n"),
              "HTTP/1.1 400 Bad Request");
  for (const char* path : {"/a/b", "/%68ello", "//hello", "/hello;x"}) {
    EXPECT_EQ(StatusOf(std::string("GET ") + path + " HTTP/1.1", "Host: localhost\r\n"),
              "HTTP/1.1 404 Not Found")
        << path;
  }
}

TEST_F(AdminServerTest, OnlyItsOwnHostNamesAreAnswered) {
  for (const char* host : {"localhost", "LOCALHOST:9429", "127.0.0.1:1", "127.1.2.3", "[::1]:9429",
                           "agent.example", "Agent.Example:9429", "x.localhost"}) {
    EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", std::string("Host: ") + host + "\r\n"), "HTTP/1.1 200 OK")
        << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example",
                           "0.0.0.0", "agent.example."}) {
    EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", std::string("Host: ") + host + "\r\n"),
              "HTTP/1.1 403 Forbidden")
        << host;
    EXPECT_EQ(StatusOf(std::string("GET http://") + host + "/hello HTTP/1.1", "Host: localhost\r\n"),
              "HTTP/1.1 403 Forbidden")
        << host;
  }
  for (const char* host : {"[::1", "[::1]x", "localhost:x", "user@localhost"}) {
    EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", std::string("Host: ") + host + "\r\n"),
              "HTTP/1.1 400 Bad Request")
        << host;
  }
  EXPECT_EQ(StatusOf("GET http://localhost:" + std::to_string(server_->port()) + "/hello HTTP/1.1",
                     "Host: localhost\r\n"),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", ""), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.0", ""), "HTTP/1.1 200 OK");
}

TEST_F(AdminServerTest, MoreFieldsThanItCanHoldAreRefusedNotDropped) {
  const auto fields = [](int n) {
    std::string text = "Host: localhost\r\n";
    for (int i = 1; i < n; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
    return text;
  };
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", fields(63)), "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", fields(64)), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", fields(65)), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(AdminServerTest, LargeHeadsAreRefused) {
  const std::string response =
      Ask("GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x'));
  EXPECT_EQ(response.substr(0, response.find("\r\n")), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(AdminServerTest, LargeAnswersAreGzippedForThoseWhoTakeIt) {
  const std::string plain =
      Ask("GET /large HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br, gzip;q=0\r\n\r\n");
  EXPECT_TRUE(
      plain.ends_with("Vary: Accept-Encoding\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x')));
  const std::string zipped =
      Ask("GET /large HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br, GZIP;q=0.5\r\n\r\n");
  const size_t body = zipped.find("\r\n\r\n") + 4;
  EXPECT_NE(zipped.find("Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_LT(zipped.size() - body, 2000u);
  EXPECT_EQ(Inflated(zipped.substr(body)), std::string(100'000, 'x'));
  EXPECT_EQ(Ask("GET /hello HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"),
            Expected("200 OK", "", "hello \n"))
      << "a small one is not worth it";
}

TEST_F(AdminServerTest, AHandlerThatThrowsIsAnswered) {
  EXPECT_EQ(
      Ask("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      Expected("500 Internal Server Error", "", "the agent could not make this page; its log says why\n"));
}

TEST_F(AdminServerTest, ItsWorkGivesWayToTraffic) {
  const std::string nicer = std::to_string(std::min(getpriority(PRIO_PROCESS, 0) + 5, 19));
  EXPECT_THAT(Ask("GET /priority HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              testing::EndsWith("\r\n\r\n" + nicer));
}

TEST_F(AdminServerTest, OtherSitesPagesChangeNothing) {
  const std::string post = "POST /-/reload HTTP/1.1";
  for (const char* foreign :
       {"Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n", "Origin: http://localhost:1\r\n"}) {
    EXPECT_EQ(StatusOf(post, std::string("Host: localhost\r\nContent-Length: 0\r\n") + foreign),
              "HTTP/1.1 403 Forbidden")
        << foreign;
  }
  EXPECT_EQ(reloads_, 0);
  EXPECT_EQ(StatusOf(post, "Host: localhost\r\nContent-Length: 0\r\n"), "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf(post,
                     "Host: localhost:9429\r\nContent-Length: 0\r\nOrigin: http://localhost:9429\r\n"
                     "Sec-Fetch-Site: same-origin\r\n"),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(reloads_, 2);
}

TEST_F(AdminServerTest, ConnectionsAreKeptUnlessABodyIsStillToCome) {
  TcpClient client(server_->port());
  const std::string get = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.Send(get);
  EXPECT_EQ(client.ReadOne(), Expected("200 OK", "", "hello \n"));
  client.Send("POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(client.ReadOne(), Expected("200 OK", "", "reloaded\n"));
  client.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 34\r\n\r\nhalf");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK")) << answer;
  EXPECT_TRUE(answer.contains("\r\nConnection: close\r\n")) << answer;
}

TEST_F(AdminServerTest, SlowClientsAreCutOff) {
  AdminOptions options;
  options.threads = 2;
  options.request_timeout = std::chrono::milliseconds(200);
  Start(options);
  std::vector<std::unique_ptr<TcpClient>> slow;
  for (int i = 0; i < 6; ++i) {
    slow.push_back(std::make_unique<TcpClient>(server_->port()));
    slow.back()->Send("GET /hello HTTP/1.1\r\nHost: loc");
  }
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", "Host: localhost\r\n"), "HTTP/1.1 200 OK")
      << "once the slow ones are gone";
}

TEST_F(AdminServerTest, APortInUseIsOneSentence) {
  const AdminOptions options = ListeningOn("127.0.0.1", server_->port());
  const auto second = AdminServer::Start(options, {}, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "cannot listen for the admin side: 127.0.0.1:" + std::to_string(server_->port()) +
                ": the address is in use by another program");
}

TEST_F(AdminServerTest, AnAddressThatIsNotOursIsOneSentence) {
  const auto server = AdminServer::Start(ListeningOn("192.0.2.1", 9429), {}, clock_);
  ASSERT_FALSE(server);
  EXPECT_EQ(
      server.error().message,
      "cannot listen for the admin side: 192.0.2.1:9429: can't listen: Cannot assign requested address");
}

TEST_F(AdminServerTest, AllInterfacesMeansThisOneToo) {
  auto server = AdminServer::Start(ListeningOn("", 0), Routes(), clock_);
  ASSERT_TRUE(server) << server.error().message;
  TcpClient client((*server)->port());
  client.Send("GET /hello HTTP/1.1\r\nHost: 10.1.2.3:9429\r\n\r\n");
  EXPECT_EQ(client.ReadOne(), Expected("200 OK", "", "hello \n")) << "any literal address may be ours";
}

TEST_F(AdminServerTest, StoppingFreesThePort) {
  const uint16_t port = server_->port();
  server_.reset();
  const auto again = AdminServer::Start(ListeningOn("127.0.0.1", port), {}, clock_);
  EXPECT_TRUE(again) << again.error().message;
}

}  // namespace
}  // namespace apiquota::net
