#include <sys/un.h>

#include <filesystem>
#include <thread>

#include "tests/net/http_client_kit.h"

namespace apiquota::net {
namespace {

TEST_F(HttpClientTest, AUnixSocketThatWasNamedIsAskedAndTheHostOnlySaid) {
  const std::string path = testing::TempDir() + "http_client_unix.sock";
  std::filesystem::remove(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  std::string head;
  std::thread server([&] {
    Peer peer(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    head = peer.ReadHead();
    peer.Send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  Make();
  ClientRequest request;
  request.url = "http://agent.example/-/healthy";
  request.unix_socket = path;
  const ClientResult result = Ask(request);
  server.join();
  close(listener);
  EXPECT_EQ(result.status, 204);
  EXPECT_TRUE(head.starts_with("GET /-/healthy HTTP/1.1\r\nHost: agent.example\r\n")) << head;
}

}  // namespace
}  // namespace apiquota::net
