// What clients of the admin side can't do to each other, and how they may come in.
#include <arpa/inet.h>
#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/un.h>

#include <atomic>
#include <latch>
#include <thread>

#include "net/admin_server.h"
#include "net/socket_address.h"
#include "tests/net/certificates.h"
#include "tests/net/peer.h"

namespace apiquota::net {
namespace {

constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";

std::string Hash(const std::string& password) {
  crypt_data data{};
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  crypt_gensalt_rn("$2b$", 4, "sixteen bytes 16", 16, setting, sizeof setting);
  return crypt_r(password.c_str(), setting, &data);
}

std::string Authorization(const std::string& credentials) {
  std::string encoded(credentials.size() * 2 + 8, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(credentials.data()),
                                   static_cast<int>(credentials.size()));
  return "Authorization: Basic " + encoded.substr(0, static_cast<size_t>(size)) + "\r\n";
}

int ConnectTo(const sockaddr* address, socklen_t size) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return connect(fd, address, size) == 0 ? fd : -1;
}

class AdminClientsTest : public testing::Test {
 protected:
  std::vector<AdminRoute> Pages() {
    return {{"GET", "/hello",
             [this](const AdminRequest&) {
               ++served_;
               return AdminResponse{200, "text/plain", "hello"};
             }},
            {"GET", "/held",
             [this](const AdminRequest&) {
               ++held_;
               release_.wait();
               return AdminResponse{200, "text/plain", "held"};
             }},
            {"GET", "/large", [](const AdminRequest&) {
               return AdminResponse{200, "text/plain", std::string(20'000'000, 'x')};
             }}};
  }

  void Start() {
    server_.reset();
    auto server = AdminServer::Start(options_, Pages(), RealClock());
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  std::string Ask(const std::string& request) {
    Peer peer = Peer::Connect(server_->port());
    peer.Send(request);
    return peer.ReadAll();
  }
  std::string Get(const std::string& fields = "") { return Ask(std::string(kGet) + fields + "\r\n"); }

  // Until its loop has seen all that happened before: it is the door itself that answers this.
  void WaitForDoor() {
    EXPECT_THAT(Ask("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                testing::StartsWith("HTTP/1.1 403 "));
  }

  AdminOptions options_ = [] {
    AdminOptions options;
    options.listen = {"127.0.0.1", 0};
    return options;
  }();
  std::atomic<int> served_{0};
  std::atomic<int> held_{0};
  std::latch release_{1};
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminClientsTest, SlowReadersHoldNoThread) {
  options_.threads = 2;
  Start();
  std::vector<Peer> readers;
  for (int i = 0; i < 6; ++i) {  // more than the door's memory holds, too
    readers.push_back(Peer::Connect(server_->port(), 4096));
    readers.back().Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  EXPECT_THAT(Get(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminClientsTest, WhoLeavesGivesNoSecondTurnWhileItsPageIsMade) {
  options_.threads = 2;
  Start();
  for (int i = 0; i < 12; ++i) {
    Peer leaver = Peer::Connect(server_->port());
    leaver.Send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (i < 2 && held_ <= i) std::this_thread::yield();
    WaitForDoor();
    leaver.Reset();
    WaitForDoor();
  }
  release_.count_down();
  EXPECT_THAT(Get(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(held_, 2) << "the others left while they waited";
}

TEST_F(AdminClientsTest, AnAbsoluteTargetMustNameThisListener) {
  Start();
  const auto get = [&](const std::string& target) {
    return Ask("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(get("http://localhost:" + std::to_string(server_->port()) + "/hello"),
              testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("http://[::1]/hello"), testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("http://localhost:1/hello"), testing::StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(get("http://evil.example/hello"), testing::StartsWith("HTTP/1.1 403 "));
}

TEST_F(AdminClientsTest, ItListensOnIpv6AndOnUnixSockets) {
  options_.listen = {"::1", 0};
  Start();
  const SocketAddress v6 = ToSocketAddress({.ip = *IpAddress::Parse("::1"), .port = server_->port()});
  Peer on_v6(ConnectTo(v6.get(), v6.size));
  on_v6.Send(std::string(kGet) + "\r\n");
  EXPECT_THAT(on_v6.ReadAll(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));

  options_.listen = {.path = testing::TempDir() + "apiquota-admin-door.sock"};
  Start();
  EXPECT_EQ(server_->port(), 0);
  sockaddr_un path{.sun_family = AF_UNIX, .sun_path = {}};
  options_.listen.path.copy(path.sun_path, sizeof path.sun_path - 1);
  Peer on_unix(ConnectTo(reinterpret_cast<const sockaddr*>(&path), sizeof path));
  on_unix.Send("GET /hello HTTP/1.1\r\nHost: any.name\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(on_unix.ReadAll(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminClientsTest, ItSpeaksTls) {
  const Identity identity = MakeIdentity("DNS:localhost", nullptr);
  TlsServerOptions& tls = options_.web.tls.emplace();
  tls.cert_file = testing::TempDir() + "admin-door.crt";
  tls.key_file = testing::TempDir() + "admin-door.key";
  WritePem(identity, tls.cert_file);
  WriteKeyPem(identity, tls.key_file);
  Start();
  Peer peer = Peer::Connect(server_->port());
  ASSERT_TRUE(peer.ConnectTls(MakeClient(nullptr).get()));
  peer.Send(std::string(kGet) + "\r\n");
  EXPECT_THAT(peer.ReadAll(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Get(), testing::Not(testing::HasSubstr("200"))) << "plain";
}

TEST_F(AdminClientsTest, OnlyAUsersPasswordLetsIn) {
  options_.web.users = {{"alice", Secret(Hash("open sesame"))}};
  Start();
  for (int i = 0; i < 2; ++i) {  // computed, then remembered
    EXPECT_THAT(Get(Authorization("alice:open sesame")), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(served_, i + 1);
    for (const std::string& fields :
         {std::string(), Authorization("alice:wrong"), Authorization("bob:open sesame"),
          std::string("Authorization: Bearer x\r\n"),
          Authorization("alice:wrong") + Authorization("alice:open sesame")}) {
      EXPECT_THAT(Get(fields),
                  testing::AllOf(testing::StartsWith("HTTP/1.1 401 Unauthorized\r\n"),
                                 testing::HasSubstr("\r\nWWW-Authenticate: Basic realm=\"apiquota\"")))
          << fields;
    }
    EXPECT_EQ(served_, i + 1);
  }
  EXPECT_THAT(Ask("GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
              testing::StartsWith("HTTP/1.1 401 "))
      << "who has no password learns of no page";
}

TEST_F(AdminClientsTest, TheOperatorsHeadersReplaceTheAgents) {
  options_.web.headers = {{"Strict-Transport-Security", "max-age=1"}, {"Cache-Control", "no-cache"}};
  Start();
  for (const std::string& answer :
       {Get(), Ask("GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")}) {
    EXPECT_THAT(answer, testing::HasSubstr("\r\nStrict-Transport-Security: max-age=1\r\n"));
    EXPECT_THAT(answer, testing::HasSubstr("\r\nCache-Control: no-cache\r\n"));
    EXPECT_THAT(answer, testing::Not(testing::HasSubstr("no-store")));
  }
}

}  // namespace
}  // namespace apiquota::net
