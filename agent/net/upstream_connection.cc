// How a connection comes about: name, address, TCP, TLS.
#include <algorithm>

#include "net/upstream_pool.h"

namespace apiquota::net {

struct UpstreamConnection::Ticket {
  UpstreamConnection* connection;
};

UpstreamConnection::UpstreamConnection(UpstreamPool& pool, UpstreamAsker& asker)
    : pool_(pool), stream_(pool.environment_.loop), timer_(*this), asker_(&asker) {}

void UpstreamConnection::Start() {
  UpstreamEnvironment& environment = pool_.environment_;
  environment.loop.timers().Arm(timer_, environment.limits.connect_timeout);
  ticket_ = std::make_shared<Ticket>(Ticket{this});
  auto known = environment.resolver.Resolve(
      pool_.address_.host,
      [&loop = environment.loop, weak = std::weak_ptr(ticket_)](const Addresses& addresses) {
        loop.Post([weak, addresses] {
          if (const auto ticket = weak.lock()) ticket->connection->Try(addresses);
        });
      });
  if (!known) return;
  // The asker must not be called back from inside Acquire.
  environment.loop.Post([weak = std::weak_ptr(ticket_), addresses = std::move(*known)] {
    if (const auto ticket = weak.lock()) ticket->connection->Try(addresses);
  });
}

void UpstreamConnection::Try(const Addresses& addresses) {
  if (addresses.empty()) return pool_.Failed(*this, ConnectError::kDns);
  addresses_ = addresses;
  state_ = State::kConnecting;
  TryNext();
}

void UpstreamConnection::TryNext() {
  UpstreamEnvironment& environment = pool_.environment_;
  const UpstreamAddress& target = pool_.address_;
  while (next_address_ < addresses_.size()) {
    const Endpoint endpoint{.ip = addresses_[next_address_++], .port = target.port};
    const bool own_port =
        std::ranges::find(environment.own_ports, target.port) != environment.own_ports.end();
    const std::vector<IpAddress> own = own_port ? LocalAddresses() : std::vector<IpAddress>{};
    const EgressPolicy policy{
        .private_allowed = target.private_allowed, .own_ports = environment.own_ports, .own_addresses = own};
    if (CheckEgress(endpoint, policy) != EgressVerdict::kAllowed) continue;
    tried_any_ = true;
    stream_ = Stream(environment.loop);
    stream_.SetHandler(this);
    // One dead address must not use up the time of the others.
    const auto share = environment.limits.connect_timeout / static_cast<int>(addresses_.size());
    environment.loop.timers().Arm(timer_, share);
    return stream_.Connect(endpoint);
  }
  pool_.Failed(*this, tried_any_ ? ConnectError::kRefused : ConnectError::kForbidden);
}

void UpstreamConnection::OnOpen() {
  UpstreamEnvironment& environment = pool_.environment_;
  if (state_ == State::kConnecting && pool_.address_.tls) {
    state_ = State::kHandshaking;
    environment.loop.timers().Arm(timer_, environment.limits.tls_timeout);
    return stream_.StartTls(environment.tls, pool_.address_.host, &pool_.session_);
  }
  pool_.Ready(*this);
}

// Idle: a server that speaks unasked (a 408, garbage) can't be trusted with the next request.
void UpstreamConnection::OnBytes() {
  if (state_ == State::kIdle) pool_.Discard(*this);
}

void UpstreamConnection::OnEnd(StreamEnd end) {
  switch (state_) {
    case State::kConnecting:
      return TryNext();
    case State::kHandshaking:
      return pool_.Failed(
          *this, end == StreamEnd::kBadCertificate ? ConnectError::kCertificate : ConnectError::kHandshake);
    default:
      return pool_.Discard(*this);
  }
}

void UpstreamConnection::OnTimer(Timer&) {
  switch (state_) {
    case State::kResolving:
      return pool_.Failed(*this, ConnectError::kDnsTimeout);
    case State::kConnecting:
      if (next_address_ < addresses_.size()) return TryNext();
      return pool_.Failed(*this, ConnectError::kTimeout);
    case State::kHandshaking:
      return pool_.Failed(*this, ConnectError::kTlsTimeout);
    default:
      return pool_.Discard(*this);
  }
}

}  // namespace apiquota::net
