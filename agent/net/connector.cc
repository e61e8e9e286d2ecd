#include "net/connector.h"

#include <algorithm>
#include <array>
#include <utility>

#include "net/egress.h"

namespace apiquota::net {
namespace {

constexpr std::chrono::milliseconds kNextTryAfter{250};  // RFC 8305 5
constexpr size_t kTriesMax = 8;                          // at a time; then the oldest makes room, after 2 s

ConnectError ToError(StreamEnd end) {
  switch (end) {
    case StreamEnd::kUnreachable:
      return ConnectError::kUnreachable;
    case StreamEnd::kLocalLimit:
      return ConnectError::kLocalLimit;
    case StreamEnd::kConnectTimeout:
      return ConnectError::kTimeout;
    default:
      return ConnectError::kRefused;
  }
}

// Of what several addresses said, that which says most about the upstream.
ConnectError MoreTelling(ConnectError a, ConnectError b) {
  constexpr std::array kFromLeast = {ConnectError::kForbidden, ConnectError::kUnreachable,
                                     ConnectError::kLocalLimit, ConnectError::kTimeout,
                                     ConnectError::kRefused};
  return std::ranges::find(kFromLeast, a) < std::ranges::find(kFromLeast, b) ? b : a;
}

}  // namespace

Addresses ByTurns(const Addresses& addresses) {
  Addresses one;
  Addresses other;
  for (const IpAddress& address : addresses) {
    (address.v6 == addresses.front().v6 ? one : other).push_back(address);
  }
  Addresses out;
  for (size_t i = 0; i < std::max(one.size(), other.size()); ++i) {
    if (i < one.size()) out.push_back(one[i]);
    if (i < other.size()) out.push_back(other[i]);
  }
  return out;
}

struct Connector::Ticket {
  Connector* connector;
};

struct Connector::Try final : StreamHandler {
  explicit Try(Connector& connector) : owner(connector), stream(connector.environment_.loop) {
    stream.SetHandler(this);
  }
  void OnOpen() override { owner.Opened(*this); }
  void OnBytes() override {}
  void OnEnd(StreamEnd end) override { owner.TryFailed(*this, end); }

  Connector& owner;
  Stream stream;
};

Connector::Connector(const ConnectEnvironment& environment, const UpstreamAddress& target,
                     TlsSession* session, ConnectorClient& client)
    : environment_(environment),
      target_(target),
      session_(session),
      client_(client),
      deadline_(*this),
      next_try_(*this) {}

Connector::~Connector() = default;

void Connector::Start() {
  Loop& loop = environment_.loop;
  loop.timers().Arm(deadline_, environment_.connect_timeout);
  ticket_ = std::make_shared<Ticket>(Ticket{this});
  auto known = environment_.resolver.Resolve(
      target_.host, [&loop, weak = std::weak_ptr(ticket_)](const Addresses& addresses) {
        loop.Post([weak, addresses] {
          if (const auto ticket = weak.lock()) ticket->connector->Resolved(addresses);
        });
      });
  if (!known) return;
  loop.Post([weak = std::weak_ptr(ticket_), addresses = std::move(*known)] {
    if (const auto ticket = weak.lock()) ticket->connector->Resolved(addresses);
  });
}

void Connector::Resolved(const Addresses& addresses) {
  if (addresses.empty()) return client_.OnConnectFailed(ConnectError::kDns);
  addresses_ = ByTurns(addresses);
  phase_ = Phase::kConnecting;
  TryNext();
}

bool Connector::MayConnectTo(const Endpoint& endpoint) const {
  const bool own_port =
      std::ranges::find(environment_.own_ports, endpoint.port) != environment_.own_ports.end();
  const std::vector<IpAddress> own = own_port ? LocalAddresses() : std::vector<IpAddress>{};
  const EgressPolicy policy{
      .private_allowed = target_.private_allowed, .own_ports = environment_.own_ports, .own_addresses = own};
  return CheckEgress(endpoint, policy) == EgressVerdict::kAllowed;
}

void Connector::TryNext() {
  while (next_address_ < addresses_.size()) {
    const Endpoint endpoint{.ip = addresses_[next_address_++], .port = target_.port};
    if (!MayConnectTo(endpoint)) continue;
    if (tries_.size() == kTriesMax) {
      tries_.erase(tries_.begin());
      error_ = MoreTelling(error_, ConnectError::kTimeout);
    }
    tries_.push_back(std::make_unique<Try>(*this));
    tries_.back()->stream.Connect(endpoint);
    if (next_address_ < addresses_.size()) environment_.loop.timers().Arm(next_try_, kNextTryAfter);
    return;
  }
  if (tries_.empty()) client_.OnConnectFailed(error_);
}

void Connector::TryFailed(Try& failed, StreamEnd end) {
  error_ = MoreTelling(error_, ToError(end));
  std::erase_if(tries_, [&](const auto& one) { return one.get() == &failed; });
  TryNext();
}

void Connector::Opened(Try& winner) {
  Stream stream = std::move(winner.stream);
  stream.SetHandler(nullptr);
  tries_.clear();
  next_try_.Disarm();
  if (!target_.tls) return client_.OnConnected(std::move(stream));
  phase_ = Phase::kHandshaking;
  stream_.emplace(std::move(stream));
  stream_->SetHandler(this);
  environment_.loop.timers().Arm(deadline_, environment_.tls_timeout);
  stream_->StartTls(environment_.tls, target_.host, session_);
}

void Connector::OnOpen() {
  stream_->SetHandler(nullptr);
  client_.OnConnected(std::move(*stream_));
}

void Connector::OnEnd(StreamEnd end) {
  const bool certificate = end == StreamEnd::kBadCertificate;
  client_.OnConnectFailed(
      {certificate ? ConnectError::kCertificate : ConnectError::kHandshake, stream_->tls_failure()});
}

void Connector::OnTimer(Timer& timer) {
  if (&timer == &next_try_) return TryNext();
  switch (phase_) {
    case Phase::kResolving:
      return client_.OnConnectFailed(ConnectError::kDnsTimeout);
    case Phase::kConnecting:
      return client_.OnConnectFailed(ConnectError::kTimeout);
    case Phase::kHandshaking:
      return client_.OnConnectFailed(ConnectError::kTlsTimeout);
  }
}

}  // namespace apiquota::net
