// One event loop of the proxy and all that lives on it: its listener, client relays, upstream pools, and
// its copy of the pointer to the routes. Workers share nothing on the hot path; what they share at all is in
// Shared.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>

#include "apis/observe.h"
#include "apis/options.h"
#include "apis/route_table.h"
#include "metrics/reasons.h"
#include "net/host_names.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/tls_context.h"
#include "net/upstream_pool.h"
#include "proxy/budget_page.h"
#include "proxy/caches.h"
#include "proxy/caller_waits.h"
#include "proxy/guard_clock.h"
#include "proxy/kept_body.h"
#include "proxy/options.h"
#include "proxy/relay.h"
#include "proxy/tunnel.h"

namespace apiquota::proxy {

net::ServerLimits ClientLimits(const ProxyOptions& options);

// Set up before the loops run; afterwards only its thread-safe parts are used.
struct Shared {
  ProxyOptions options;
  net::ServerLimits server_limits;
  const Clock& clock;
  apis::Observer observer;
  metrics::RejectionCounters rejections;
  net::HostNames hosts;
  net::TlsClient tls;                          // towards upstreams
  std::unique_ptr<net::TlsServer> tls_server;  // towards clients; null: plain
  net::Resolver resolver;
  std::vector<uint16_t> own_ports;
  std::string pseudonym;                                                     // in Via
  std::string_view scheme() const { return tls_server ? "https" : "http"; }  // of the listener

  std::atomic<size_t> clients{0};  // connections, of all workers

  guard::Guard* guard = nullptr;  // null: nothing is guarded
  KeptBytes kept_bodies = {};
  Caches* caches = nullptr;  // null: no api has one
  CallerWaits caller_waits = CallerWaits(clock);
  const quota::Ledger* ledger = nullptr;  // for callers' own pages
};

class Worker final : public GuardHome, public CacheHome {
 public:
  // `home`: its index among the workers.
  Worker(Shared& shared, std::shared_ptr<const apis::RouteTable> routes, uint32_t home = 0);
  ~Worker();

  // Before Start, from the thread that owns the proxy.
  Status Listen(std::shared_ptr<net::ListenGroup> group);
  uint16_t port() const { return port_; }  // also once it listens no more; 0: none
  void Start();

  // From any thread. Drained, tunnels go on like requests under way: nothing in a WebSocket could tell its
  // ends to hurry that is ours to say.
  void SetRoutes(std::shared_ptr<const apis::RouteTable> routes);
  void Drain(std::function<void()> done);  // `done` runs on the loop, once no client is left

  void Take(std::vector<guard::Granted> granted) override;
  void Take(cache::Follower follower, cache::Outcome outcome) override;

  // For relays, on the loop.
  Shared& shared() { return shared_; }
  BudgetDesk& budget_desk() { return budget_desk_; }
  net::Loop& loop() { return loop_; }
  const std::shared_ptr<const apis::RouteTable>& routes() const { return routes_; }
  // `table`: whose route it is; a request may outlive a reload before it is sent.
  net::UpstreamPool& PoolFor(const apis::Route& route, const apis::RouteTable& table);
  void Remove(Relay& relay);  // destroyed once the current handler has returned
  // The relay's client goes on as one end of a tunnel, and the relay is removed.
  // `ticket`: what the tunnel holds until it ends.
  void BeginTunnel(Relay& relay, net::Stream client, net::DetachedUpstream upstream, guard::Ticket ticket);
  void Remove(Tunnel& tunnel);  // like a relay
  // Whose grant goes to which relay. What is granted to one that has gone comes back by itself.
  uint32_t home() const { return home_; }
  void Await(const guard::Account* account, guard::Id waiter, Relay& relay) {
    waiters_[{account, waiter}] = &relay;
  }
  void AwaitNoMore(const guard::Account* account, guard::Id waiter) { waiters_.erase({account, waiter}); }
  // Who follows somebody else's request, by a number of its own.
  cache::Follower NextFollower() { return {.home = home_, .id = ++followers_begun_}; }
  void Follow(uint64_t follower, Relay& relay) { followers_[follower] = &relay; }
  void FollowNoMore(uint64_t follower) { followers_.erase(follower); }
  // The relay's client has gone, its request goes on for a cache, and for those who follow it. False: there
  // are too many that nobody follows.
  bool Adopt(Relay& relay);

 private:
  bool nobody_left() const { return !relays_.linked() && !tunnels_.linked(); }
  void Accept(net::Stream stream);
  template <class Ended>
  void Bury(Ended& ended, std::vector<std::unique_ptr<Ended>>* graveyard);

  void HandOn(guard::Granted granted);
  void HandOn(cache::Follower follower, cache::Outcome outcome);

  Shared& shared_;
  const uint32_t home_;
  net::Loop loop_;
  net::UpstreamEnvironment environment_;
  std::shared_ptr<const apis::RouteTable> routes_;
  // One upstream as the apis see it that give it the same time to connect.
  struct Upstream {
    Upstream(const net::UpstreamEnvironment& its, const net::UpstreamAddress& address)
        : environment(its), pool(environment, address) {}
    net::UpstreamEnvironment environment;
    net::UpstreamPool pool;
  };
  using UpstreamId = std::tuple<net::UpstreamAddress, Micros, Micros>;  // connect and TLS timeouts
  static UpstreamId IdOf(const apis::Route& route);
  net::UpstreamPool& FindPool(const apis::Route& route);
  void DropUnusedUpstreams();

  BudgetDesk budget_desk_;
  std::map<UpstreamId, std::unique_ptr<Upstream>> upstreams_;
  std::unordered_map<const apis::Route*, net::UpstreamPool*> pool_of_route_;
  std::unique_ptr<net::Listener> listener_;
  uint16_t port_ = 0;
  net::TimerLink relays_;
  net::TimerLink tunnels_;
  net::TimerLink orphans_;                            // relays without a client
  std::vector<std::unique_ptr<Relay>> ended_relays_;  // until the handler they ended in has returned
  std::vector<std::unique_ptr<Tunnel>> ended_tunnels_;
  std::map<std::pair<const guard::Account*, guard::Id>, Relay*> waiters_;
  std::unordered_map<uint64_t, Relay*> followers_;
  uint64_t followers_begun_ = 0;
  size_t orphan_count_ = 0;
  size_t turned_away_ = 0;  // among the relays
  bool draining_ = false;
  std::function<void()> drained_;
};

}  // namespace apiquota::proxy
