// What the operator can say about sockets; plain values with their defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace apiquota::net {

// Where a listener is reached: a host and a port, or the path of a Unix socket.
struct ListenAddress {
  std::string host = "127.0.0.1";  // an IP literal, "localhost" (::1 and 127.0.0.1), "" for all interfaces
  uint16_t port = 0;               // 0: any free port
  std::string path = {};           // of a Unix socket, absolute; then host and port mean nothing

  bool is_unix() const { return !path.empty(); }
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// "127.0.0.1:9429", "[::1]:9429", ":9429", "unix:/run/apiquota/proxy.sock"
inline std::string ToText(const ListenAddress& address) {
  if (address.is_unix()) return "unix:" + address.path;
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

enum class TlsVersion : uint8_t { k12, k13 };

// What a client must show of itself. "Verify": the chain must lead to client_ca.
enum class ClientAuth : uint8_t { kNone, kRequest, kRequireAny, kVerifyIfGiven, kRequireAndVerify };

// How clients are spoken to over TLS: exporter-toolkit's tls_server_config. Of each pair either the file (an
// absolute path, read again when it changes) or the PEM text itself.
struct TlsServerOptions {
  std::string cert_file, cert;
  std::string key_file;
  Secret key;
  std::string client_ca_file, client_ca;
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;  // one of them must be in the client's certificate
  TlsVersion min_version = TlsVersion::k12;
  TlsVersion max_version = TlsVersion::k13;
  std::vector<std::string> cipher_suites;  // of TLS 1.2, by their IANA names; empty: OpenSSL's choice
  bool prefer_server_cipher_suites = true;
  std::vector<std::string> curves;  // OpenSSL's names; empty: OpenSSL's choice

  friend bool operator==(const TlsServerOptions&, const TlsServerOptions&) = default;
};

struct BasicAuthUser {
  std::string name;
  Secret hash;  // bcrypt: "$2y$10$…"

  friend bool operator==(const BasicAuthUser&, const BasicAuthUser&) = default;
};

// A token bucket over all requests of a listener.
struct WebRateLimit {
  Micros interval = Micros(0);  // between two requests; 0: no limit
  size_t burst = 0;

  friend bool operator==(const WebRateLimit&, const WebRateLimit&) = default;
};

// exporter-toolkit's web configuration file, read.
struct WebOptions {
  std::optional<TlsServerOptions> tls;  // none: plain
  std::vector<std::pair<std::string, std::string>> headers;
  bool http2_asked_for = false;  // the file says so; nothing here speaks it
  std::vector<BasicAuthUser> users;
  WebRateLimit rate_limit;

  friend bool operator==(const WebOptions&, const WebOptions&) = default;
};

struct AdminOptions {
  ListenAddress listen{"127.0.0.1", 9429};
  std::vector<std::string> hosts;  // Host names allowed besides loopback names and the listen address
  bool enable_lifecycle = false;   // POST /-/reload
  int threads = 8;
  Micros request_timeout = std::chrono::seconds(5);  // for a whole request head; then the client is cut off
  WebOptions web = {};

  friend bool operator==(const AdminOptions&, const AdminOptions&) = default;
};

// How the agent verifies upstreams.
struct TlsClientOptions {
  std::string ca_file;  // PEM; empty: the system's roots

  friend bool operator==(const TlsClientOptions&, const TlsClientOptions&) = default;
};

}  // namespace apiquota::net
