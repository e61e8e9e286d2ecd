// A connection that waits for its next message.
#include "net/upstream_pool.h"

namespace apiquota::net {
namespace {

// The loop hears of an idle connection's end in its next turn; one that has come since is found by asking
// the kernel. Under load connections rest for less than this, and the question would cost a syscall each.
constexpr std::chrono::milliseconds kAskAfter{1};

}  // namespace

UpstreamConnection::UpstreamConnection(UpstreamPool& pool, UpstreamAsker& asker)
    : pool_(pool),
      stream_(pool.environment_.connect.loop),
      timer_(*this),
      asker_(&asker),
      connector_(std::make_unique<Connector>(pool.environment_.connect, pool.address_, &pool.session_,
                                             static_cast<ConnectorClient&>(*this))) {
  connector_->Start();
}

void UpstreamConnection::OnConnected(Stream stream) {
  stream_ = std::move(stream);
  connector_.reset();
  pool_.Ready(*this);
}

void UpstreamConnection::OnConnectFailed(ConnectFailure failure) { pool_.Failed(*this, failure); }

void UpstreamConnection::Rest(Micros idle_max) {
  Loop& loop = pool_.environment_.connect.loop;
  idle_ = true;
  idle_since_ = loop.clock().SteadyNow();
  idle_max_ = idle_max;
  loop.timers().Arm(timer_, idle_max);
}

Micros UpstreamConnection::Rested() const {
  const auto rested = pool_.environment_.connect.loop.clock().SteadyNow() - idle_since_;
  return std::chrono::duration_cast<Micros>(rested);
}

bool UpstreamConnection::FitForUse() const {
  const Micros idle = Rested();
  const auto look = idle < kAskAfter ? Stream::Look::kKnown : Stream::Look::kAskKernel;
  return idle < idle_max_ && stream_.quiet(look);
}

void UpstreamConnection::Lease() {
  timer_.Disarm();
  idle_ = false;
  ++leases_;
}

// Idle: a server that speaks unasked (a 408, garbage) can't be trusted with the next request.
void UpstreamConnection::OnBytes() { EndRest(); }
void UpstreamConnection::OnEnd(StreamEnd) { EndRest(); }
void UpstreamConnection::OnTimer(Timer&) { pool_.Discard(*this); }

void UpstreamConnection::EndRest() {
  pool_.NoteEnd(*this);
  pool_.Discard(*this);
}

}  // namespace apiquota::net
