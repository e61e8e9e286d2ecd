// Keep-alive connections to one upstream, for one loop. The most recently used one is handed out
// first, so that a quiet hour leaves few; an idle one is read from all the time and looked at before it is
// handed out, so a closed one is never handed out knowingly, nor one that has been idle for longer than the
// upstream said it would wait; at most `connections_max` exist, and at most `queue_max` askers wait for one.
// They are made by connector.h. Belongs to one loop.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "net/connector.h"
#include "net/loop.h"
#include "net/stream.h"

namespace apiquota::net {

struct UpstreamLimits {
  size_t connections_max = 1000;
  size_t queue_max = 1000;
  Micros queue_timeout = std::chrono::seconds(10);
  Micros idle_timeout = std::chrono::seconds(30);
};

// Shared by a loop's pools.
struct UpstreamEnvironment {
  ConnectEnvironment connect;
  UpstreamLimits limits;
};

class UpstreamPool;
class UpstreamConnection;

// Somebody who waits for a connection: for `queue_timeout` in the queue, and then as long as connecting may
// take.
class UpstreamAsker : public TimerLink {
 public:
  virtual void OnUpstream(UpstreamConnection& connection) = 0;
  virtual void OnUpstreamFailed(ConnectFailure failure) = 0;

  SteadyTime queued_until;  // the pool's

 protected:
  ~UpstreamAsker() = default;
};

// One connection: being made, leased to an asker or idle. Owned by its pool.
class UpstreamConnection final : private StreamHandler, private TimerHandler, private ConnectorClient {
 public:
  UpstreamConnection(UpstreamPool& pool, UpstreamAsker& asker);

  Stream& stream() { return stream_; }
  bool reused() const { return leases_ > 1; }

 private:
  friend class UpstreamPool;

  void OnConnected(Stream stream) override;
  void OnConnectFailed(ConnectFailure failure) override;
  void Rest(Micros idle_max);
  Micros Rested() const;   // of its last rest, so far
  bool FitForUse() const;  // after a rest
  void Lease();
  void OnBytes() override;
  void OnEnd(StreamEnd end) override;
  void OnTimer(Timer& timer) override;
  void EndRest();  // not by us

  UpstreamPool& pool_;
  Stream stream_;
  Timer timer_;           // while it is idle
  UpstreamAsker* asker_;  // while it is being made
  std::unique_ptr<Connector> connector_;
  bool idle_ = false;
  SteadyTime idle_since_;
  Micros idle_max_{0};
  size_t index_ = 0;  // in the pool's connections
  uint64_t leases_ = 0;
};

// A connection whose stream has gone another way than requests' (a tunnel). It counts as one of its pool's,
// which must outlive it, until it is destroyed.
class DetachedUpstream {
 public:
  DetachedUpstream(UpstreamPool& pool, Stream stream) : pool_(&pool), stream_(std::move(stream)) {}
  ~DetachedUpstream();
  DetachedUpstream(DetachedUpstream&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), stream_(std::move(other.stream_)) {}
  DetachedUpstream& operator=(DetachedUpstream&&) = delete;

  Stream& stream() { return stream_; }

 private:
  UpstreamPool* pool_;
  Stream stream_;
};

class UpstreamPool final : private TimerHandler {
 public:
  UpstreamPool(UpstreamEnvironment& environment, UpstreamAddress address);
  ~UpstreamPool();

  // An idle connection at once; or null, and the asker is called back later, never from inside; or
  // why not.
  std::expected<UpstreamConnection*, ConnectError> Acquire(UpstreamAsker& asker);
  // The asker has lost interest; it is not called back.
  void Cancel(UpstreamAsker& asker);

  // Gives a connection back. Release: it is between messages and has no unread bytes; the upstream keeps it
  // for `idle_max`, if it said so. Both take the handler off it.
  void Release(UpstreamConnection& connection, std::optional<Micros> idle_max = {});
  void Discard(UpstreamConnection& connection);
  // … in the middle of a message: reset, so that a peer which takes nothing hears of it, too.
  void Abort(UpstreamConnection& connection);
  // Gives its stream away, handler and unread bytes with it; the pool knows it no more, but counts it.
  DetachedUpstream Detach(UpstreamConnection& connection);

  // Whether it will be asked again. Nobody's pool keeps no idle connections, and is empty once those in use
  // have come back.
  void SetWanted(bool wanted);
  bool empty() const { return connections() == 0 && queued_ == 0; }

  size_t idle() const { return idle_.size(); }
  size_t connections() const { return connections_.size() + detached_; }

 private:
  friend class UpstreamConnection;
  friend class DetachedUpstream;

  void Connect(UpstreamAsker& asker);
  void Ready(UpstreamConnection& connection);
  void Failed(UpstreamConnection& connection, ConnectFailure failure);
  void Remove(UpstreamConnection& connection);
  UpstreamConnection* NextIdle();
  void NoteEnd(const UpstreamConnection& connection);
  void ServeQueue();
  void Enqueue(UpstreamAsker& asker);
  UpstreamAsker& Dequeue();
  void OnTimer(Timer& timer) override;

  UpstreamEnvironment& environment_;
  const UpstreamAddress address_;
  TlsSession session_;
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> idle_;  // the last is the most recently used
  TimerLink queue_;                        // of askers
  size_t queued_ = 0;
  size_t detached_ = 0;
  // An upstream has closed right behind an answer without having said so: the next ones have to prove that
  // they stay before they carry a request that would be lost.
  bool on_trial_ = false;
  bool wanted_ = true;
  Timer queue_timer_;  // for the first in it
};

}  // namespace apiquota::net
