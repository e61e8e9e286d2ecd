#include "net/upstream_pool.h"

#include <algorithm>
#include <cassert>

namespace apiquota::net {
namespace {

// By then the end of a connection that was closed right behind an answer has come, too.
constexpr std::chrono::milliseconds kTrial{20};

// A second less than the upstream said, or half: its clock began earlier, and a request needs time to get
// there.
Micros IdleMax(Micros own, std::optional<Micros> upstreams) {
  if (!upstreams) return own;
  return std::min(own, *upstreams - std::min<Micros>(*upstreams / 2, std::chrono::seconds(1)));
}

}  // namespace

UpstreamPool::UpstreamPool(UpstreamEnvironment& environment, UpstreamAddress address)
    : environment_(environment), address_(std::move(address)), queue_timer_(*this) {}

UpstreamPool::~UpstreamPool() = default;

std::expected<UpstreamConnection*, ConnectError> UpstreamPool::Acquire(UpstreamAsker& asker) {
  while (UpstreamConnection* connection = NextIdle()) {
    const bool fit = connection->FitForUse();
    if (fit) on_trial_ = false;
    if (!fit) NoteEnd(*connection);
    connection->Lease();
    if (fit) return connection;
    Remove(*connection);
  }
  if (connections() >= environment_.limits.connections_max && !idle_.empty()) Remove(*idle_.back());
  if (connections() < environment_.limits.connections_max) {
    Connect(asker);
    return nullptr;
  }
  if (queued_ >= environment_.limits.queue_max) return std::unexpected(ConnectError::kQueueFull);
  Enqueue(asker);
  return nullptr;
}

// The one that was used last; on trial the one that has rested longest, if that is long enough.
UpstreamConnection* UpstreamPool::NextIdle() {
  if (idle_.empty() || (on_trial_ && idle_.front()->Rested() < kTrial)) return nullptr;
  const auto next = on_trial_ ? idle_.begin() : idle_.end() - 1;
  UpstreamConnection* connection = *next;
  idle_.erase(next);
  return connection;
}

// Called while it rests or carries its next request: `Rested` has then begun with its last answer.
void UpstreamPool::NoteEnd(const UpstreamConnection& connection) {
  on_trial_ = on_trial_ || (connection.leases_ > 0 && connection.Rested() < kTrial);
}

void UpstreamPool::Cancel(UpstreamAsker& asker) {
  if (asker.linked()) {
    asker.Unlink();
    --queued_;
    return;
  }
  const auto made_for_it =
      std::ranges::find_if(connections_, [&](const auto& c) { return c->asker_ == &asker; });
  if (made_for_it != connections_.end()) Discard(**made_for_it);
}

void UpstreamPool::Connect(UpstreamAsker& asker) {
  connections_.push_back(std::make_unique<UpstreamConnection>(*this, asker));
  connections_.back()->index_ = connections_.size() - 1;
}

void UpstreamPool::Ready(UpstreamConnection& connection) {
  connection.Lease();
  connection.stream_.Resume();
  std::exchange(connection.asker_, nullptr)->OnUpstream(connection);
}

void UpstreamPool::Failed(UpstreamConnection& connection, ConnectFailure failure) {
  UpstreamAsker* asker = std::exchange(connection.asker_, nullptr);
  Remove(connection);
  asker->OnUpstreamFailed(failure);
  ServeQueue();
}

void UpstreamPool::Release(UpstreamConnection& connection, std::optional<Micros> idle_max) {
  const Micros rest = wanted_ ? IdleMax(environment_.limits.idle_timeout, idle_max) : Micros(0);
  if (!connection.stream_.quiet(Stream::Look::kKnown) || rest <= Micros(0)) return Discard(connection);
  if (on_trial_ && queue_.linked()) return Discard(connection);
  connection.stream_.SetHandler(&connection);
  connection.stream_.Resume();
  if (queue_.linked()) {
    ++connection.leases_;
    connection.idle_since_ = environment_.connect.loop.clock().SteadyNow();
    return Dequeue().OnUpstream(connection);
  }
  connection.Rest(rest);
  idle_.push_back(&connection);
}

void UpstreamPool::SetWanted(bool wanted) {
  wanted_ = wanted;
  while (!wanted_ && !idle_.empty()) Remove(*idle_.back());
}

void UpstreamPool::Discard(UpstreamConnection& connection) {
  Remove(connection);
  ServeQueue();
}

void UpstreamPool::Abort(UpstreamConnection& connection) {
  if (connection.reused() && !connection.stream_.open()) NoteEnd(connection);
  connection.stream_.Reset();
  Discard(connection);
}

DetachedUpstream UpstreamPool::Detach(UpstreamConnection& connection) {
  DetachedUpstream detached(*this, std::move(connection.stream_));
  ++detached_;
  Remove(connection);
  return detached;
}

DetachedUpstream::~DetachedUpstream() {
  if (pool_ == nullptr) return;
  --pool_->detached_;
  pool_->ServeQueue();
}

void UpstreamPool::Remove(UpstreamConnection& connection) {
  if (connection.idle_) std::erase(idle_, &connection);
  const size_t index = connection.index_;
  const auto owned = std::exchange(connections_[index], nullptr);
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index_ = index;
  }
  connections_.pop_back();
}

void UpstreamPool::ServeQueue() {
  if (queue_.linked() && connections() < environment_.limits.connections_max) Connect(Dequeue());
}

void UpstreamPool::Enqueue(UpstreamAsker& asker) {
  const Micros timeout = environment_.limits.queue_timeout;
  if (!queue_.linked()) environment_.connect.loop.timers().Arm(queue_timer_, timeout);
  asker.queued_until = environment_.connect.loop.clock().SteadyNow() + timeout;
  asker.InsertBefore(&queue_);
  ++queued_;
}

UpstreamAsker& UpstreamPool::Dequeue() {
  auto* asker = static_cast<UpstreamAsker*>(queue_.next);
  asker->Unlink();
  --queued_;
  return *asker;
}

// Whoever is told may ask again: it then stands at the end, with a time of its own.
void UpstreamPool::OnTimer(Timer&) {
  Loop& loop = environment_.connect.loop;
  const SteadyTime now = loop.clock().SteadyNow();
  const auto due = [&] { return static_cast<UpstreamAsker*>(queue_.next)->queued_until; };
  while (queue_.linked() && due() <= now) Dequeue().OnUpstreamFailed(ConnectError::kQueueTimeout);
  if (queue_.linked()) loop.timers().Arm(queue_timer_, std::chrono::ceil<Micros>(due() - now));
}

}  // namespace apiquota::net
