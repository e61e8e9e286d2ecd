#include "net/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "base/descriptor.h"
#include "net/descriptor_reserve.h"
#include "net/socket_address.h"
#include "net/stream_impl.h"

namespace apiquota::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kAcceptRest{100};
constexpr int kAcceptsPerTurn = 16;

std::string Text(const ListenAddress& address) { return address.host + ":" + std::to_string(address.port); }

Result<Endpoint> ToEndpoint(const ListenAddress& address) {
  Endpoint endpoint{.ip = {}, .port = address.port};
  endpoint.ip.v6 = address.host.empty();  // "::", which takes IPv4 too
  if (address.host.empty()) return endpoint;
  const auto ip = IpAddress::Parse(address.host == "localhost" ? "127.0.0.1" : address.host);
  if (!ip) return Fail(Text(address) + ": a listen address needs an IP address, localhost or no host at all");
  endpoint.ip = *ip;
  return endpoint;
}

bool SetOption(const Descriptor& socket, int level, int option, int value) {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

Descriptor OpenSocket(const Endpoint& endpoint) {
  const int family = endpoint.ip.v6 ? AF_INET6 : AF_INET;
  return Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Error Explain(const ListenAddress& address, int error) {
  if (error == EADDRINUSE) return {Text(address) + ": the address is in use by another program"};
  return {Text(address) + ": can't listen: " + std::generic_category().message(error)};
}

Result<Descriptor> ListenAt(const ListenAddress& address, bool shared, int backlog) {
  const auto wanted = ToEndpoint(address);
  if (!wanted) return std::unexpected(wanted.error());
  Endpoint endpoint = *wanted;
  Descriptor socket = OpenSocket(endpoint);
  if (!socket.valid() && address.host.empty()) {
    endpoint.ip.v6 = false;  // a machine without IPv6
    socket = OpenSocket(endpoint);
  }
  if (!socket.valid()) return std::unexpected(Explain(address, errno));
  const bool any = endpoint.ip.IsUnspecified();
  if (endpoint.ip.v6) SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, any ? 0 : 1);
  const SocketAddress at = ToSocketAddress(endpoint);
  const bool listens = SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1) &&
                       (!shared || SetOption(socket, SOL_SOCKET, SO_REUSEPORT, 1)) &&
                       bind(socket.get(), at.get(), at.size) == 0 && listen(socket.get(), backlog) == 0;
  if (!listens) return std::unexpected(Explain(address, errno));
  return socket;
}

}  // namespace

struct Listener::Impl final : std::enable_shared_from_this<Impl>, EventHandler, TimerHandler {
  Impl(Loop& loop_in, Descriptor socket_in, Accepted accepted_in)
      : loop(loop_in), socket(std::move(socket_in)), accepted(std::move(accepted_in)), rest(*this) {}

  bool Watch() { return loop.Watch(socket.get(), EPOLLIN, *this); }

  void OnEvents(uint32_t) override {
    const auto self = shared_from_this();  // whoever takes a connection may close the listener
    for (int i = 0; i < kAcceptsPerTurn && socket.valid(); ++i) {
      const int fd = accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      const int error = errno;
      const bool in_reserve = fd >= 0 && InReserve(fd);
      if (fd >= 0) accepted(Stream(new Stream::Impl(loop, Descriptor(fd))));
      if (fd >= 0 && !in_reserve) continue;
      if (in_reserve || error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) Rest();
      return;  // the kernel has no more; a connection that was given up by its client is not worth a word
    }
  }
  void OnTimer(Timer&) override {
    if (OnlyReserveIsLeft() || !Watch()) loop.timers().Arm(rest, kAcceptRest);
  }

  // Whoever comes now waits in the kernel's queue.
  void Rest() {
    if (!socket.valid()) return;
    WarnOfFewDescriptors();
    loop.Unwatch(socket.get(), *this);
    loop.timers().Arm(rest, kAcceptRest);
  }

  void Close() {
    loop.Unwatch(socket.get(), *this);
    socket.Close();
    rest.Disarm();
  }

  Loop& loop;
  Descriptor socket;
  Accepted accepted;
  Timer rest;
};

Status Listener::CheckFree(const ListenAddress& address) {
  const auto socket = ListenAt(address, false, 1);
  if (!socket) return std::unexpected(socket.error());
  return {};
}

Result<std::unique_ptr<Listener>> Listener::Open(Loop& loop, const ListenAddress& address,
                                                 Accepted accepted) {
  auto socket = ListenAt(address, true, kBacklog);
  if (!socket) return std::unexpected(socket.error());
  auto impl = std::make_shared<Impl>(loop, std::move(*socket), std::move(accepted));
  if (!impl->Watch()) return std::unexpected(Explain(address, errno));
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() { impl_->Close(); }

uint16_t Listener::port() const {
  SocketAddress address;
  const int fd = impl_->socket.get();
  return getsockname(fd, address.get(), &address.size) == 0 ? FromSocketAddress(address.get()).port : 0;
}

}  // namespace apiquota::net
