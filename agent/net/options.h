// What the operator can say about sockets; plain values with their defaults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace apiquota::net {

struct ListenAddress {
  std::string host = "127.0.0.1";  // an IP literal, "localhost", or "" for all interfaces
  uint16_t port = 0;               // 0: any free port

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// "127.0.0.1:9429", "[::1]:9429", ":9429"
inline std::string ToText(const ListenAddress& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

struct AdminOptions {
  ListenAddress listen{"127.0.0.1", 9429};
  std::vector<std::string> hosts;  // Host names allowed besides loopback names and the listen address
  bool enable_lifecycle = false;   // POST /-/reload
  int threads = 8;
  Micros request_timeout = std::chrono::seconds(5);  // for a whole request head; then the client is cut off

  friend bool operator==(const AdminOptions&, const AdminOptions&) = default;
};

// How the agent verifies upstreams.
struct TlsClientOptions {
  std::string ca_file;  // PEM; empty: the system's roots

  friend bool operator==(const TlsClientOptions&, const TlsClientOptions&) = default;
};

}  // namespace apiquota::net
