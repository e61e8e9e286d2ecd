#include "net/admin_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <system_error>

#include "net/socket_address.h"

namespace apiquota::net {
namespace {

int OpenSocket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }

// Without a host, IPv4's "any".
SocketAddress Resolve(const ListenAddress& listen) {
  const std::string host = listen.host == "localhost" ? "127.0.0.1" : listen.host;
  return ToSocketAddress({.ip = IpAddress::Parse(host).value_or(IpAddress{}), .port = listen.port});
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
