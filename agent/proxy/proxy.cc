#include "proxy/proxy.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "proxy/worker.h"

namespace apiquota::proxy {

struct Proxy::Impl {
  Impl(const ProxyOptions& options, ProxyDeps deps, net::TlsClient tls,
       std::unique_ptr<net::TlsServer> tls_server)
      : shared{.options = options,
               .server_limits = ClientLimits(options),
               .clock = deps.clock,
               .observer = apis::Observer(deps.ledger),
               .rejections = metrics::RejectionCounters(deps.metrics),
               .hosts = net::HostNames(options.listen, options.hosts),
               .tls = std::move(tls),
               .tls_server = std::move(tls_server),
               .resolver = net::Resolver(deps.clock),
               .own_ports = std::move(deps.own_ports),
               .pseudonym = std::move(deps.pseudonym),
               .clients = {},
               .guard = deps.guard,
               .caches = deps.caches,
               .ledger = &deps.ledger},
        guard_clock(deps.guard_clock) {}

  ~Impl() { StopWorkers(); }

  // The resolver, the guard and the caches call back into loops: they fall silent before these go.
  void StopWorkers() {
    shared.resolver.Stop();
    if (guard_clock != nullptr) guard_clock->SetHomes({});
    if (shared.caches != nullptr) shared.caches->SetHomes({});
    workers.clear();
  }

  Shared shared;
  GuardClock* const guard_clock;
  uint16_t port = 0;
  std::vector<std::unique_ptr<Worker>> workers;
};

Result<std::unique_ptr<Proxy>> Proxy::Start(const ProxyOptions& options,
                                            const std::shared_ptr<const apis::RouteTable>& routes,
                                            ProxyDeps deps) {
  auto tls = net::TlsClient::Create(options.tls);
  if (!tls) return std::unexpected(tls.error());
  std::unique_ptr<net::TlsServer> tls_server;
  if (options.web.tls) {
    auto created = net::TlsServer::Create(*options.web.tls);
    if (!created) return std::unexpected(created.error());
    tls_server = std::move(*created);
  }
  auto group = net::ListenGroup::Open(options.listen, tls_server.get());
  if (!group) return std::unexpected(group.error());
  auto impl = std::make_unique<Impl>(options, std::move(deps), std::move(*tls), std::move(tls_server));
  const unsigned cores = std::thread::hardware_concurrency();
  const size_t count = options.loops > 0 ? static_cast<size_t>(options.loops) : std::max(1U, cores);
  for (size_t i = 0; i < count; ++i) {
    auto worker = std::make_unique<Worker>(impl->shared, routes, static_cast<uint32_t>(i));
    if (const Status listening = worker->Listen(*group); !listening)
      return std::unexpected(listening.error());
    impl->workers.push_back(std::move(worker));
  }
  impl->port = (*group)->port();
  if (impl->port != 0) impl->shared.own_ports.push_back(impl->port);
  if (impl->guard_clock != nullptr) {
    std::vector<GuardHome*> homes;
    for (const auto& worker : impl->workers) homes.push_back(worker.get());
    impl->guard_clock->SetHomes(std::move(homes));
  }
  if (impl->shared.caches != nullptr) {
    std::vector<CacheHome*> homes;
    for (const auto& worker : impl->workers) homes.push_back(worker.get());
    impl->shared.caches->SetHomes(std::move(homes));
  }
  for (const auto& worker : impl->workers) worker->Start();
  return std::unique_ptr<Proxy>(new Proxy(std::move(impl)));
}

Proxy::Proxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Proxy::~Proxy() = default;

uint16_t Proxy::port() const { return impl_->port; }

void Proxy::SetRoutes(const std::shared_ptr<const apis::RouteTable>& routes) {
  for (const auto& worker : impl_->workers) worker->SetRoutes(routes);
}

void Proxy::Drain() {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    size_t busy;
  };
  const auto waiting = std::make_shared<Waiting>();
  waiting->busy = impl_->workers.size();
  for (const auto& worker : impl_->workers) {
    worker->Drain([waiting] {
      const std::lock_guard lock(waiting->mutex);
      --waiting->busy;
      waiting->changed.notify_all();
    });
  }
  std::unique_lock lock(waiting->mutex);
  waiting->changed.wait_for(lock, impl_->shared.options.drain_timeout, [&] { return waiting->busy == 0; });
  lock.unlock();
  impl_->StopWorkers();
}

}  // namespace apiquota::proxy
