#include "net/upstream_pool.h"

#include <algorithm>
#include <cassert>

namespace apiquota::net {

UpstreamPool::UpstreamPool(UpstreamEnvironment& environment, UpstreamAddress address)
    : environment_(environment), address_(std::move(address)) {}

UpstreamPool::~UpstreamPool() = default;

std::expected<UpstreamConnection*, ConnectError> UpstreamPool::Acquire(UpstreamAsker& asker) {
  if (!idle_.empty()) {
    UpstreamConnection* connection = idle_.back();
    idle_.pop_back();
    connection->timer_.Disarm();
    connection->state_ = UpstreamConnection::State::kLeased;
    ++connection->leases_;
    return connection;
  }
  if (connections_.size() < environment_.limits.connections_max) {
    Connect(asker);
    return nullptr;
  }
  if (queued_ >= environment_.limits.queue_max) return std::unexpected(ConnectError::kQueueFull);
  asker.InsertBefore(&queue_);
  ++queued_;
  return nullptr;
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
  connections_.back()->Start();
}

void UpstreamPool::Ready(UpstreamConnection& connection) {
  connection.timer_.Disarm();
  connection.state_ = UpstreamConnection::State::kLeased;
  ++connection.leases_;
  connection.stream_.SetHandler(nullptr);
  connection.stream_.Resume();
  std::exchange(connection.asker_, nullptr)->OnUpstream(connection);
}

void UpstreamPool::Failed(UpstreamConnection& connection, ConnectError error) {
  UpstreamAsker* asker = std::exchange(connection.asker_, nullptr);
  Remove(connection);
  asker->OnUpstreamFailed(error);
  ServeQueue();
}

void UpstreamPool::Release(UpstreamConnection& connection) {
  connection.stream_.SetHandler(&connection);
  if (!connection.stream_.open()) return Discard(connection);
  connection.stream_.Resume();
  if (queue_.linked()) {
    auto* asker = static_cast<UpstreamAsker*>(queue_.next);
    asker->Unlink();
    --queued_;
    ++connection.leases_;
    return asker->OnUpstream(connection);
  }
  connection.state_ = UpstreamConnection::State::kIdle;
  environment_.loop.timers().Arm(connection.timer_, environment_.limits.idle_timeout);
  idle_.push_back(&connection);
}

void UpstreamPool::Discard(UpstreamConnection& connection) {
  Remove(connection);
  ServeQueue();
}

void UpstreamPool::Abort(UpstreamConnection& connection) {
  connection.stream_.Reset();
  Discard(connection);
}

void UpstreamPool::Remove(UpstreamConnection& connection) {
  if (connection.state_ == UpstreamConnection::State::kIdle) std::erase(idle_, &connection);
  const size_t index = connection.index_;
  const auto owned = std::exchange(connections_[index], nullptr);
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index_ = index;
  }
  connections_.pop_back();
}

void UpstreamPool::ServeQueue() {
  if (!queue_.linked() || connections_.size() >= environment_.limits.connections_max) return;
  auto* asker = static_cast<UpstreamAsker*>(queue_.next);
  asker->Unlink();
  --queued_;
  Connect(*asker);
}

}  // namespace apiquota::net
