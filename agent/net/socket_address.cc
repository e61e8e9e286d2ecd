#include "net/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace apiquota::net {

SocketAddress ToSocketAddress(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.ip.v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::memcpy(&v6->sin6_addr, endpoint.ip.bytes.data(), sizeof v6->sin6_addr);
    out.size = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::memcpy(&v4->sin_addr, endpoint.ip.bytes.data(), sizeof v4->sin_addr);
    out.size = sizeof *v4;
  }
  return out;
}

Endpoint FromSocketAddress(const sockaddr* address) {
  Endpoint out;
  out.ip.v6 = address->sa_family == AF_INET6;
  if (out.ip.v6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    std::memcpy(out.ip.bytes.data(), &v6->sin6_addr, sizeof v6->sin6_addr);
    out.port = ntohs(v6->sin6_port);
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    std::memcpy(out.ip.bytes.data(), &v4->sin_addr, sizeof v4->sin_addr);
    out.port = ntohs(v4->sin_port);
  }
  return out;
}

}  // namespace apiquota::net
