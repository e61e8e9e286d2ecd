#include "proxy/worker.h"

#include <set>
#include <utility>

namespace apiquota::proxy {
namespace {

constexpr size_t kTurnedAwayMax = 100;  // per loop, that are still being told
constexpr size_t kOrphansMax = 100;     // per loop, of those that nobody follows

net::UpstreamLimits Limits(const ProxyOptions& options) {
  return {.connections_max = options.upstream_connections_max,
          .queue_max = options.upstream_queue_max,
          .idle_timeout = options.pool_idle_timeout};
}

template <class Linked>
void DeleteAll(net::TimerLink* list) {
  while (list->linked()) {
    auto* one = static_cast<Linked*>(list->next);
    one->Unlink();  // NOLINT(clang-analyzer-cplusplus.NewDelete): it doesn't see that this moves `next`
    delete one;
  }
}

}  // namespace

net::ServerLimits ClientLimits(const ProxyOptions& options) {
  return {.codec = {.head_bytes_max = options.head_bytes_max,
                    .fields_max = options.fields_max,
                    .target_bytes_max = options.target_bytes_max},
          .high_bytes = options.buffer_high_bytes,
          .low_bytes = options.buffer_low_bytes,
          .head_timeout = options.head_timeout,
          .idle_timeout = options.client_idle_timeout,
          .stall_timeout = options.body_idle_timeout,
          .rate_min = options.body_rate_min};
}

Worker::Worker(Shared& shared, std::shared_ptr<const apis::RouteTable> routes, uint32_t home)
    : shared_(shared),
      home_(home),
      loop_(shared.clock),
      environment_{
          .connect = {.loop = loop_, .resolver = shared.resolver, .tls = shared.tls, .own_ports = {}},
          .limits = Limits(shared.options)},
      routes_(std::move(routes)),
      budget_desk_({.ledger = shared.ledger, .guard = shared.guard, .waits = &shared.caller_waits}) {}

Worker::~Worker() {
  loop_.Stop();
  listener_.reset();
  DeleteAll<Relay>(&relays_);
  DeleteAll<Relay>(&orphans_);
  DeleteAll<Tunnel>(&tunnels_);
}

Status Worker::Listen(std::shared_ptr<net::ListenGroup> group) {
  auto listener =
      net::Listener::Open(loop_, std::move(group), [this](net::Stream stream) { Accept(std::move(stream)); });
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  port_ = listener_->group().port();
  return {};
}

void Worker::Start() {
  environment_.connect.own_ports = shared_.own_ports;
  loop_.Start();
}

// Who is turned away is told so, and read on for a while so that the answer arrives; beyond a few at a time
// that would cost what it is meant to save.
void Worker::Accept(net::Stream stream) {
  const bool full = shared_.clients.fetch_add(1, std::memory_order_relaxed) >= shared_.options.clients_max;
  if (full) {
    shared_.clients.fetch_sub(1, std::memory_order_relaxed);
    if (turned_away_ >= kTurnedAwayMax) return shared_.rejections.Count(metrics::Rejection::kClientsMax);
    ++turned_away_;
  }
  auto* relay = new Relay(*this, std::move(stream));
  relay->InsertBefore(&relays_);
  if (full) relay->TurnAway();
}

void Worker::Remove(Relay& relay) {
  relay.Unlink();
  if (relay.orphan()) {
    --orphan_count_;
  } else if (relay.turned_away()) {
    --turned_away_;
  } else {
    shared_.clients.fetch_sub(1, std::memory_order_relaxed);
  }
  Bury(relay, &ended_relays_);
}

void Worker::BeginTunnel(Relay& relay, net::Stream client, net::DetachedUpstream upstream,
                         guard::Ticket ticket) {
  shared_.clients.fetch_add(1, std::memory_order_relaxed);
  auto* tunnel = new Tunnel(*this, std::move(client), std::move(upstream), std::move(ticket));
  tunnel->InsertBefore(&tunnels_);
  Remove(relay);
}

// A function that is posted is copyable, grants are not.
void Worker::Take(std::vector<guard::Granted> granted) {
  auto letter = std::make_shared<std::vector<guard::Granted>>(std::move(granted));
  loop_.Post([this, letter = std::move(letter)] {
    for (guard::Granted& one : *letter) HandOn(std::move(one));
  });
}

void Worker::HandOn(guard::Granted granted) {
  const auto found = waiters_.find({granted.account, granted.waiter});
  if (found == waiters_.end()) return;
  Relay& relay = *found->second;
  waiters_.erase(found);
  relay.OnGranted(std::move(granted));
}

bool Worker::Adopt(Relay& relay) {
  if (!relay.Followed() && (draining_ || orphan_count_ >= kOrphansMax)) return false;
  relay.Unlink();
  relay.InsertBefore(&orphans_);
  ++orphan_count_;
  shared_.clients.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void Worker::Take(cache::Follower follower, cache::Outcome outcome) {
  auto letter = std::make_shared<cache::Outcome>(std::move(outcome));
  loop_.Post([this, follower, letter = std::move(letter)] { HandOn(follower, std::move(*letter)); });
}

// Who has gone meanwhile and was to lead leaves that to the next one.
void Worker::HandOn(cache::Follower follower, cache::Outcome outcome) {
  const auto found = followers_.find(follower.id);
  if (found == followers_.end()) return;
  Relay& relay = *found->second;
  followers_.erase(found);
  relay.OnOutcome(std::move(outcome));
}

void Worker::Remove(Tunnel& tunnel) {
  tunnel.Unlink();
  shared_.clients.fetch_sub(1, std::memory_order_relaxed);
  Bury(tunnel, &ended_tunnels_);
}

template <class Ended>
void Worker::Bury(Ended& ended, std::vector<std::unique_ptr<Ended>>* graveyard) {
  if (graveyard->empty()) loop_.Post([graveyard] { graveyard->clear(); });
  graveyard->emplace_back(&ended);
  if (draining_ && nobody_left() && drained_) std::exchange(drained_, nullptr)();
}

Worker::UpstreamId Worker::IdOf(const apis::Route& route) {
  return {net::UpstreamAddress{.host = route.base.host,
                               .port = route.base.port,
                               .tls = route.base.tls,
                               .private_allowed = route.private_allowed},
          route.timeouts.connect, route.timeouts.tls};
}

// Pools that no route leads to any more go with their last connection, at a reload after that.
void Worker::DropUnusedUpstreams() {
  std::set<UpstreamId> wanted;
  for (const auto& route : routes_->routes()) wanted.insert(IdOf(*route));
  for (auto& [id, upstream] : upstreams_) upstream->pool.SetWanted(wanted.contains(id));
  std::erase_if(upstreams_, [&](const auto& entry) {
    return !wanted.contains(entry.first) && entry.second->pool.empty();
  });
}

// What an older table's route has is looked for each time: another route may come to stand at its address.
net::UpstreamPool& Worker::PoolFor(const apis::Route& route, const apis::RouteTable& table) {
  if (&table != routes_.get()) return FindPool(route);
  net::UpstreamPool*& known = pool_of_route_[&route];
  if (known == nullptr) known = &FindPool(route);
  return *known;
}

net::UpstreamPool& Worker::FindPool(const apis::Route& route) {
  const UpstreamId id = IdOf(route);
  auto& upstream = upstreams_[id];
  if (!upstream) {
    net::UpstreamEnvironment environment = environment_;
    environment.connect.connect_timeout = route.timeouts.connect;
    environment.connect.tls_timeout = route.timeouts.tls;
    environment.limits.queue_timeout = route.timeouts.connect + route.timeouts.tls;
    upstream = std::make_unique<Upstream>(environment, std::get<net::UpstreamAddress>(id));
  }
  return upstream->pool;
}

void Worker::SetRoutes(std::shared_ptr<const apis::RouteTable> routes) {
  loop_.Post([this, routes = std::move(routes)] {
    routes_ = routes;
    pool_of_route_.clear();
    DropUnusedUpstreams();
  });
}

void Worker::Drain(std::function<void()> done) {
  loop_.Post([this, done = std::move(done)] {
    draining_ = true;
    drained_ = done;
    listener_.reset();
    for (net::TimerLink* link = relays_.next; link != &relays_;) {
      auto* relay = static_cast<Relay*>(link);
      link = link->next;
      relay->Drain();
    }
    for (net::TimerLink* link = orphans_.next; link != &orphans_;) {
      auto* relay = static_cast<Relay*>(link);
      link = link->next;
      if (!relay->Followed()) relay->EndOrphan();
    }
    if (nobody_left() && drained_) std::exchange(drained_, nullptr)();
  });
}

}  // namespace apiquota::proxy
