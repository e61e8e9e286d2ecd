#include "net/listen_group.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <expected>
#include <system_error>
#include <utility>

#include "net/socket_address.h"
#include "net/tcp_options.h"
#include "net/unix_listener.h"

namespace apiquota::net {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPortTries = 16;

struct Candidates {
  std::vector<IpAddress> ips;
  bool all = true;  // false: the first that this machine has
};

Candidates CandidatesOf(const std::string& host) {
  const IpAddress v4_any;
  const IpAddress v6_any{.v6 = true, .bytes = {}};
  if (host.empty()) return {{v6_any, v4_any}, false};
  if (host == "localhost") return {{*IpAddress::Parse("127.0.0.1"), *IpAddress::Parse("::1")}, true};
  const auto ip = IpAddress::Parse(host);
  return ip ? Candidates{{*ip}, true} : Candidates{};
}

bool SetOption(const Descriptor& socket, int level, int option, int value) {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

// Or errno. `shared`: beside others of this program.
std::expected<Descriptor, int> ListenAt(const Endpoint& endpoint, bool shared, int backlog) {
  const int family = endpoint.ip.v6 ? AF_INET6 : AF_INET;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return std::unexpected(errno);
  // "::" takes IPv4 too
  if (endpoint.ip.v6) SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, endpoint.ip.IsUnspecified() ? 0 : 1);
  SetTcpOptions(socket.get());
  const SocketAddress at = ToSocketAddress(endpoint);
  const bool listens = SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1) &&
                       (!shared || SetOption(socket, SOL_SOCKET, SO_REUSEPORT, 1)) &&
                       bind(socket.get(), at.get(), at.size) == 0 && listen(socket.get(), backlog) == 0;
  if (!listens) return std::unexpected(errno);
  return socket;
}

std::expected<Descriptor, int> ListenFirst(const Endpoint& endpoint) {
  if (endpoint.port != 0) {
    const auto alone = ListenAt(endpoint, false, 1);
    if (!alone) return std::unexpected(alone.error());
  }
  return ListenAt(endpoint, true, kBacklog);
}

uint16_t PortOf(const Descriptor& socket) {
  SocketAddress address;
  if (getsockname(socket.get(), address.get(), &address.size) != 0) return 0;
  return FromSocketAddress(address.get()).port;
}

Error Explain(const ListenAddress& address, int error) {
  if (error == EADDRINUSE) return {ToText(address) + ": the address is in use by another program"};
  return {ToText(address) + ": can't listen: " + std::generic_category().message(error)};
}

}  // namespace

Result<std::shared_ptr<ListenGroup>> ListenGroup::Open(const ListenAddress& address, TlsServer* tls) {
  std::shared_ptr<ListenGroup> group(new ListenGroup(address, tls));
  const Status listening = address.is_unix() ? group->OpenUnix() : group->OpenTcp();
  if (!listening) return std::unexpected(listening.error());
  return group;
}

ListenGroup::~ListenGroup() {
  if (file_inode_ != 0) RemoveSocketFile(address_.path, file_device_, file_inode_);
}

Status ListenGroup::OpenUnix() {
  address_.port = 0;
  auto socket = ListenAtPath(address_.path, kBacklog, &file_device_, &file_inode_);
  if (!socket) return std::unexpected(socket.error());
  sockets_.push_back(std::move(*socket));
  return {};
}

// A port that is free for one IP address may be taken for the other: then another one is tried.
Status ListenGroup::OpenTcp() {
  const uint16_t wanted = address_.port;
  for (int tries = kPortTries;;) {
    Status status = OpenTcpAt(wanted);
    const bool again = !status && wanted == 0 && address_.port != 0 && --tries > 0;
    if (!again) return status;
  }
}

Status ListenGroup::OpenTcpAt(uint16_t port) {
  address_.port = port;
  endpoints_.clear();
  sockets_.clear();
  const Candidates candidates = CandidatesOf(address_.host);
  if (candidates.ips.empty()) {
    return Fail(ToText(address_) + ": a listen address needs an IP address, localhost or no host at all");
  }
  int missing = 0;
  for (const IpAddress& ip : candidates.ips) {
    auto socket = ListenFirst({ip, address_.port});
    if (!socket) {
      missing = socket.error();
      const bool none_here = missing == EAFNOSUPPORT || missing == EADDRNOTAVAIL;
      if (none_here && candidates.ips.size() > 1) continue;
      return std::unexpected(Explain(address_, missing));
    }
    address_.port = PortOf(*socket);
    endpoints_.push_back({ip, address_.port});
    sockets_.push_back(std::move(*socket));
    if (!candidates.all) break;
  }
  if (sockets_.empty()) return std::unexpected(Explain(address_, missing));
  return {};
}

Result<std::vector<Descriptor>> ListenGroup::Take() {
  std::vector<Descriptor> taken;
  if (is_unix()) {
    taken.emplace_back(fcntl(sockets_.front().get(), F_DUPFD_CLOEXEC, 0));
    if (!taken.front().valid()) return std::unexpected(Explain(address_, errno));
    return taken;
  }
  if (!sockets_.empty()) return std::exchange(sockets_, {});
  for (const Endpoint& endpoint : endpoints_) {
    auto socket = ListenAt(endpoint, true, kBacklog);
    if (!socket) return std::unexpected(Explain(address_, socket.error()));
    taken.push_back(std::move(*socket));
  }
  return taken;
}

}  // namespace apiquota::net
