#include "net/admin_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <system_error>

namespace apiquota::net {
namespace {

bool IsIpv6(const ListenAddress& listen) { return listen.host.find(':') != std::string::npos; }

int OpenSocket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress Resolve(const ListenAddress& listen) {
  SocketAddress address;
  if (IsIpv6(listen)) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(listen.port);
    inet_pton(AF_INET6, listen.host.c_str(), &v6->sin6_addr);
    address.size = sizeof *v6;
    return address;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(listen.port);
  const std::string host = listen.host == "localhost" ? "127.0.0.1" : listen.host;
  if (!host.empty()) inet_pton(AF_INET, host.c_str(), &v4->sin_addr);
  address.size = sizeof *v4;
  return address;
}

}  // namespace

std::string CivetwebPorts(const ListenAddress& listen) {
  if (listen.host == "localhost") return fmt::format("127.0.0.1:{}", listen.port);
  if (!listen.host.empty()) return ToText(listen);
  const int fd = OpenSocket(AF_INET6);  // a machine without IPv6 can't listen on both
  if (fd >= 0) close(fd);
  return fmt::format("{}{}", fd >= 0 ? "+" : "", listen.port);
}

std::string WhyNotListening(const ListenAddress& listen) {
  const SocketAddress address = Resolve(listen);
  const int fd = OpenSocket(address.storage.ss_family);
  if (fd < 0) return std::generic_category().message(errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool works = bind(fd, address.get(), address.size) == 0 && ::listen(fd, 1) == 0;
  const int error = errno;
  close(fd);
  return works ? "the server could not start" : std::generic_category().message(error);
}

ListenWaker::ListenWaker(const ListenAddress& listen, uint16_t port)
    : thread_([address = Resolve({listen.host, port})](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          const int fd = OpenSocket(address.storage.ss_family);
          const bool listening = fd >= 0 && connect(fd, address.get(), address.size) == 0;
          if (fd >= 0) close(fd);
          if (!listening) return;
          wake.wait_for(lock, stop, std::chrono::milliseconds(10), [] { return false; });
        }
      }) {}

}  // namespace apiquota::net
