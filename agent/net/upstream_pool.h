// Keep-alive connections to one upstream, for one loop. The most recently used one is handed out
// first, so that a quiet hour leaves few; an idle one is read from all the time, so a closed one is
// never handed out knowingly; at most `connections_max` exist, and at most `queue_max` askers wait
// for one. Connecting means: resolve, check the address (egress.h), connect to the addresses in
// turn, TLS. Belongs to one loop.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/egress.h"
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

struct UpstreamLimits {
  size_t connections_max = 1000;
  size_t queue_max = 1000;
  Micros connect_timeout = std::chrono::seconds(5);  // name and TCP together
  Micros tls_timeout = std::chrono::seconds(5);
  Micros idle_timeout = std::chrono::seconds(30);
};

enum class ConnectError : uint8_t {
  kDns,
  kDnsTimeout,
  kForbidden,  // by egress.h
  kRefused,
  kTimeout,
  kCertificate,
  kHandshake,
  kTlsTimeout,
  kQueueFull,
};

// Shared by a loop's pools. What it refers to must outlive them.
struct UpstreamEnvironment {
  Loop& loop;
  Resolver& resolver;
  const TlsClient& tls;
  std::vector<uint16_t> own_ports;
  UpstreamLimits limits;
};

class UpstreamPool;
class UpstreamConnection;

// Somebody who waits for a connection. How long one may wait in the queue is the asker's to limit.
class UpstreamAsker : public TimerLink {
 public:
  virtual void OnUpstream(UpstreamConnection& connection) = 0;
  virtual void OnUpstreamFailed(ConnectError error) = 0;

 protected:
  ~UpstreamAsker() = default;
};

// One connection: being made, leased to an asker or idle. Owned by its pool.
class UpstreamConnection final : private StreamHandler, private TimerHandler {
 public:
  UpstreamConnection(UpstreamPool& pool, UpstreamAsker& asker);

  Stream& stream() { return stream_; }
  bool reused() const { return leases_ > 1; }

 private:
  friend class UpstreamPool;
  enum class State : uint8_t { kResolving, kConnecting, kHandshaking, kLeased, kIdle };
  struct Ticket;  // outlives a connection whose name is still being looked up

  void Start();
  void Try(const Addresses& addresses);
  void TryNext();
  void OnOpen() override;
  void OnBytes() override;
  void OnEnd(StreamEnd end) override;
  void OnTimer(Timer& timer) override;

  UpstreamPool& pool_;
  Stream stream_;
  Timer timer_;
  UpstreamAsker* asker_;  // while it is being made
  State state_ = State::kResolving;
  std::shared_ptr<Ticket> ticket_;
  Addresses addresses_;
  size_t next_address_ = 0;
  bool tried_any_ = false;
  size_t index_ = 0;  // in the pool's connections
  uint64_t leases_ = 0;
};

class UpstreamPool {
 public:
  UpstreamPool(UpstreamEnvironment& environment, UpstreamAddress address);
  ~UpstreamPool();

  // An idle connection at once; or null, and the asker is called back later, never from inside; or
  // why not.
  std::expected<UpstreamConnection*, ConnectError> Acquire(UpstreamAsker& asker);
  // The asker has lost interest; it is not called back.
  void Cancel(UpstreamAsker& asker);

  // Gives a connection back. Release: it is between messages and has no unread bytes. Both take the
  // handler off it.
  void Release(UpstreamConnection& connection);
  void Discard(UpstreamConnection& connection);
  // … in the middle of a message: reset, so that a peer which takes nothing hears of it, too.
  void Abort(UpstreamConnection& connection);

  size_t idle() const { return idle_.size(); }
  size_t connections() const { return connections_.size(); }

 private:
  friend class UpstreamConnection;

  void Connect(UpstreamAsker& asker);
  void Ready(UpstreamConnection& connection);
  void Failed(UpstreamConnection& connection, ConnectError error);
  void Remove(UpstreamConnection& connection);
  void ServeQueue();

  UpstreamEnvironment& environment_;
  const UpstreamAddress address_;
  TlsSession session_;
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> idle_;  // the last is the most recently used
  TimerLink queue_;                        // of askers
  size_t queued_ = 0;
};

}  // namespace apiquota::net
