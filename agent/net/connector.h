// How a connection comes about: the name is resolved, each address judged (egress.h), then TCP, then TLS.
// Name and TCP have `connect_timeout` together, the handshake has `tls_timeout`; an error names the phase
// that was under way. The families of the addresses take turns; the next address is tried a quarter of a
// second after the one before, or at once when that one fails; the first that opens wins, the others are
// closed (RFC 8305 4 and 5). Knows nothing of what is spoken on the connection. Belongs to one loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/loop.h"
#include "net/resolver.h"
#include "net/stream.h"

namespace apiquota::net {

struct UpstreamAddress {
  std::string host;
  uint16_t port = 0;
  bool tls = false;
  bool private_allowed = false;

  friend auto operator<=>(const UpstreamAddress&, const UpstreamAddress&) = default;
};

enum class ConnectError : uint8_t {
  kDns,
  kDnsTimeout,
  kForbidden,    // by egress.h
  kUnreachable,  // no route, or a firewall that says so
  kLocalLimit,   // this machine has no descriptor, port or memory left for it
  kTimeout,      // of TCP
  kRefused,
  kCertificate,
  kHandshake,
  kTlsTimeout,
  kQueueFull,     // of a pool
  kQueueTimeout,  // of a pool
};

struct ConnectFailure {
  // NOLINTNEXTLINE(google-explicit-constructor): most failures have no more to say than their kind
  ConnectFailure(ConnectError kind, std::string_view why = {}) : error(kind), cause(why) {}

  ConnectError error;
  std::string_view cause;  // the TLS library's word on it, of static storage; empty: none
};

// Shared by a loop's connectors. What it refers to must outlive them.
struct ConnectEnvironment {
  Loop& loop;
  Resolver& resolver;
  const TlsClient& tls;
  std::vector<uint16_t> own_ports;
  Micros connect_timeout = std::chrono::seconds(5);  // name and TCP together
  Micros tls_timeout = std::chrono::seconds(5);
};

// Called back once, from the loop; it may destroy the connector.
class ConnectorClient {
 public:
  virtual void OnConnected(Stream stream) = 0;  // without a handler
  virtual void OnConnectFailed(ConnectFailure failure) = 0;

 protected:
  ~ConnectorClient() = default;
};

class Connector final : private StreamHandler, private TimerHandler {
 public:
  // All that is referred to must outlive the connector; `session` also the stream that comes of it.
  Connector(const ConnectEnvironment& environment, const UpstreamAddress& target, TlsSession* session,
            ConnectorClient& client);
  ~Connector();  // gives up: nobody is called back

  void Start();  // once; nobody is called back from inside

 private:
  struct Ticket;  // outlives a connector whose name is still being looked up
  struct Try;     // one address
  enum class Phase : uint8_t { kResolving, kConnecting, kHandshaking };

  void Resolved(const Addresses& addresses);
  bool MayConnectTo(const Endpoint& endpoint) const;
  void TryNext();
  void Opened(Try& winner);
  void TryFailed(Try& failed, StreamEnd end);
  void OnOpen() override;
  void OnBytes() override {}
  void OnEnd(StreamEnd end) override;
  void OnTimer(Timer& timer) override;

  const ConnectEnvironment& environment_;
  const UpstreamAddress& target_;
  TlsSession* const session_;
  ConnectorClient& client_;
  Timer deadline_;
  Timer next_try_;
  Phase phase_ = Phase::kResolving;
  std::shared_ptr<Ticket> ticket_;
  Addresses addresses_;
  size_t next_address_ = 0;
  std::vector<std::unique_ptr<Try>> tries_;  // under way, oldest first
  ConnectError error_ = ConnectError::kForbidden;
  std::optional<Stream> stream_;  // the winner, during the handshake
};

// The order to try: each family's addresses in their own order, the families by turns, that of the first one
// first (RFC 8305 4).
Addresses ByTurns(const Addresses& addresses);

}  // namespace apiquota::net
