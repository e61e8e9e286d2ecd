// The kernel's form of an Endpoint.
#pragma once

#include <sys/socket.h>

#include "net/address.h"

namespace apiquota::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress ToSocketAddress(const Endpoint& endpoint);

// REQUIRES: AF_INET or AF_INET6.
Endpoint FromSocketAddress(const sockaddr* address);

}  // namespace apiquota::net
