// What stands before civetweb.
#include "net/admin_door.h"

#include <gmock/gmock.h>

#include "tests/net/admin_kit.h"
#include "tests/net/peer.h"

namespace apiquota::net {
namespace {

// One connection after another drips; none of them holds anything that others need.
TEST_F(AdminServerTest, HundredsOfDrippingHeadsKeepNobodyWaiting) {
  std::vector<std::unique_ptr<TcpClient>> slow;
  for (int i = 0; i < 400; ++i) {
    slow.push_back(std::make_unique<TcpClient>(server_->port()));
    slow.back()->Send("GET /hello HTTP/1.1\r\nHost: loc");
    if (i % 100 != 0) continue;
    EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", "Host: localhost\r\n"), "HTTP/1.1 200 OK");
  }
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", "Host: localhost\r\n"), "HTTP/1.1 200 OK");
}

TEST_F(AdminServerTest, AnswersLargerThanTheBuffersArriveWhole) {
  TcpClient client(server_->port());
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.ReadOne().ends_with(std::string(100'000, 'x')));
}

TEST_F(AdminServerTest, TheServerBehindAnswersTheDoorAlone) {
  TcpClient client(server_->inner_port());
  client.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.ReadOne().starts_with("HTTP/1.1 403"));
}

TEST_F(AdminServerTest, NamesAndPasswordsAreAskedForWhereTheWebConfigurationHasThem) {
  AdminOptions options;  // alice, "secret"
  options.web.users.push_back(
      {"alice", Secret("$2y$04$abcdefghijklmnopqrstuuD0pcVYzXb8Uo3WlqTLkqQhkNrE0J9C6")});
  options.web.headers = {{"X-Frame-Options", "deny"}};
  Start(options);
  const std::string refused = Ask("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 401 ")) << refused;
  EXPECT_TRUE(refused.contains("\r\nWWW-Authenticate: Basic realm=\"apiquota\"")) << refused;
  EXPECT_TRUE(refused.contains("\r\nX-Frame-Options: deny\r\n")) << refused;
  EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", "Host: localhost\r\nAuthorization: Basic YWxpY2U6d3Jvbmc=\r\n"),
            "HTTP/1.1 401 Unauthorized");
}

// Whoever refuses: the connection's own rules, the door, or the server behind.
TEST_F(AdminServerTest, NoRefusalLacksTheSecurityHeadersOrTheConfiguredOnes) {
  AdminOptions options;
  options.web.headers = {{"X-Frame-Options", "deny"}, {"Content-Security-Policy", "default-src 'none'"}};
  Start(options);
  const std::string of_the_codec = Ask("GET /hello HTTP/1.1\r\nHost : localhost\r\n\r\n");
  const std::string of_the_door = Ask("GET http://other.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string of_the_server = Ask("GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (const std::string& refusal : {of_the_codec, of_the_door, of_the_server}) {
    EXPECT_THAT(refusal, testing::HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"
                                            "Referrer-Policy: no-referrer\r\n"
                                            "Cross-Origin-Resource-Policy: same-origin\r\n"
                                            "Cache-Control: no-store\r\n"
                                            "X-Frame-Options: deny\r\n"
                                            "Content-Security-Policy: default-src 'none'\r\n"));
    EXPECT_THAT(refusal, testing::Not(testing::HasSubstr("frame-ancestors")));
  }
  EXPECT_THAT(of_the_codec, testing::StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(of_the_door, testing::StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(of_the_server, testing::StartsWith("HTTP/1.1 404 "));
}

TEST_F(AdminServerTest, TheRateLimitOfTheWebConfigurationHolds) {
  AdminOptions options;
  options.web.rate_limit = {.interval = std::chrono::hours(1), .burst = 2};
  Start(options);
  for (const char* status : {"HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 429 Too Many Requests"})
    EXPECT_EQ(StatusOf("GET /hello HTTP/1.1", "Host: localhost\r\n"), status);
}

// Passed on as an answer, a 1xx would switch the client's connection, or leave it waiting for another one.
TEST_F(AdminServerTest, InterimResponsesOfTheServerBehindAreNobodysAnswers) {
  for (const char* interim : {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
                              "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    FakeUpstream behind([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(interim);
      peer.ReadAll();
    });
    BasicAuth nobody({});
    auto door = AdminDoor::Open(ListeningOn("127.0.0.1", 0), {.port = behind.port(), .token = "token"},
                                nobody, clock_);
    ASSERT_TRUE(door) << door.error().message;
    (*door)->Start();
    TcpClient client((*door)->port());
    client.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(client.ReadOne().starts_with("HTTP/1.1 502 "));
  }
}

}  // namespace
}  // namespace apiquota::net
