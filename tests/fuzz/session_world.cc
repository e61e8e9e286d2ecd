#include "tests/fuzz/session_world.h"

#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "metrics/agent_metrics.h"
#include "provider/catalogue.h"

// Of AddressSanitizer, where it is linked.
extern "C" size_t __attribute__((weak)) __sanitizer_get_current_allocated_bytes();

namespace apiquota::fuzz {
namespace {

constexpr uint16_t kPort = 4290;
constexpr int kTurnsMax = 2'000;                         // in which not a byte moves
constexpr size_t kMemoryPerClient = 256 * 1024;          // beyond the marks: input, strings that grow by half
constexpr Micros kToldWithin = std::chrono::seconds(3);  // a client has left: lingering takes two seconds
constexpr Micros kResetWithin = std::chrono::milliseconds(500);
constexpr Micros kAllDeadlines = std::chrono::seconds(16);

size_t AllocatedBytes() {
  return &__sanitizer_get_current_allocated_bytes != nullptr ? __sanitizer_get_current_allocated_bytes() : 0;
}

std::vector<apis::ApiOptions> Apis() {
  apis::ApiOptions open;
  open.name = "t";
  open.exporter = "generic";
  open.base_url = "http://127.0.0.1:9000";
  open.base_url_by_operator = true;
  open.route = "/t";
  open.limits.push_back({.quota = "requests", .limit = 1000, .window = std::chrono::minutes(1)});
  apis::ApiOptions keyed = open;
  keyed.name = "o";
  keyed.exporter = "openai";
  keyed.route = "/o";
  keyed.limits.clear();
  keyed.keys.push_back(
      {.name = "team", .value = Secret("key-of-the-team"), .account = {}, .inject_default = true});
  return {open, keyed};
}

// Those of the upstreams belong to the routes.
apis::UpstreamTimeouts Timeouts() {
  const proxy::ProxyOptions options = ShortDeadlines();
  return {.connect = options.connect_timeout,
          .tls = options.tls_timeout,
          .first_byte = options.first_byte_timeout,
          .idle = options.upstream_idle_timeout};
}

}  // namespace

SystemTime FakeClock::SystemNow() const {
  constexpr auto kStart = SystemTime(std::chrono::seconds(1'795'359'600));  // 2026-11-22 15:00
  return kStart + std::chrono::duration_cast<Micros>(SteadyNow().time_since_epoch());
}

proxy::ProxyOptions ShortDeadlines() {
  using std::chrono::seconds;
  proxy::ProxyOptions options;
  options.listen.port = kPort;
  options.loops = 1;
  options.head_timeout = options.body_idle_timeout = seconds(2);
  options.client_idle_timeout = options.upstream_idle_timeout = seconds(3);
  options.connect_timeout = options.tls_timeout = seconds(1);
  options.first_byte_timeout = seconds(4);
  options.pool_idle_timeout = options.drain_timeout = seconds(2);
  return options;
}

// What costs too much to be made anew for every run, and does not change what a session does.
struct SessionWorld::Fixed {
  FakeClock clock;
  metrics::Registry registry;
  metrics::AgentMetrics metrics{registry};
  provider::Catalogue exporters = *provider::Catalogue::Embedded();
  std::shared_ptr<const apis::RouteTable> both = Routes(Apis());
  std::shared_ptr<const apis::RouteTable> one = Routes({Apis().front()});

  std::shared_ptr<const apis::RouteTable> Routes(const std::vector<apis::ApiOptions>& apis) {
    const std::vector<apis::CallerOptions> callers{
        {.name = "caller", .token = Secret("caller-token"), .apis = {}}};
    return *BuildRoutes(apis, callers, exporters, net::Fingerprinter(Secret("0123456789abcdef")), metrics,
                        Timeouts());
  }
};

SessionWorld::Fixed& SessionWorld::Always() {
  static auto* fixed = new Fixed;
  return *fixed;
}

SessionWorld::SessionWorld(const proxy::ProxyOptions& options) : fixed_(Always()), clients_(kClients) {
  kernel_.Boot();
  kernel_.on_connected = [this](FakePeerPtr peer) {
    upstreams_.push_back(std::make_unique<UpstreamSide>(std::move(peer), traffic_));
  };
  shared_.reset(new proxy::Shared{.options = options,
                                  .server_limits = proxy::ClientLimits(options),
                                  .clock = fixed_.clock,
                                  .observer = apis::Observer(ledger_),
                                  .rejections = metrics::RejectionCounters(fixed_.metrics),
                                  .hosts = net::HostNames(options.listen, options.hosts),
                                  .tls = net::TlsClient(),
                                  .tls_server = nullptr,
                                  .resolver = net::Resolver(fixed_.clock, {.threads_max = 0}),
                                  .own_ports = {kPort},
                                  .pseudonym = "apiquota",
                                  .clients = {}});
  worker_.emplace(*shared_, fixed_.both);
  auto group = net::ListenGroup::Open(options.listen);
  Require(group.has_value(), "the proxy's address is free");
  Require(worker_->Listen(std::move(*group)).has_value(), "the proxy listens");
  memory_at_start_ = AllocatedBytes();
}

SessionWorld::~SessionWorld() {
  worker_.reset();
  Require(kernel_.CountOpen<File>() == 0, "no descriptor is left behind");
  shared_.reset();
  kernel_.PowerOff();
}

UpstreamSide* SessionWorld::upstream(size_t index) {
  std::vector<UpstreamSide*> among;
  for (const auto& upstream : upstreams_) {
    if (index < kAll && upstream->busy()) among.push_back(upstream.get());
  }
  if (among.empty()) {
    for (const auto& upstream : upstreams_) among.push_back(upstream.get());
  }
  return among.empty() ? nullptr : among[among.size() - 1 - index % kAll % among.size()];
}

void SessionWorld::Connect(size_t client, size_t buffer, bool loopback) {
  constexpr uint32_t kElsewhere = 0x0a010203;  // 10.1.2.3
  auto peer = kernel_.ConnectTo(kPort, loopback ? INADDR_LOOPBACK : kElsewhere, buffer);
  if (clients_[client]) {
    clients_[client]->Close();
    left_.push_back(std::move(clients_[client]));
  }
  if (peer) clients_[client] = std::make_unique<ClientSide>(std::move(peer), ++connections_, traffic_);
}

void SessionWorld::Drain() {
  if (std::exchange(draining_, true)) return;
  worker_->Drain([this] { drained_ = true; });
}

void SessionWorld::Reload(bool other) { worker_->SetRoutes(other ? fixed_.one : fixed_.both); }

// Clients and upstreams do by themselves what they have been told to.
void SessionWorld::Act() {
  for (const auto& client : clients_) {
    if (client && client->reading && !client->peer().closed()) client->Read(SIZE_MAX);
  }
  for (size_t i = 0; i < upstreams_.size(); ++i) {
    UpstreamSide& upstream = *upstreams_[i];
    if (upstream.peer().closed() || !upstreams_read) continue;
    upstream.Read(SIZE_MAX);
    if (reply_to_head != 0 && upstream.heads_waiting() > 0) upstream.AnswerByItself(reply_to_head);
    if (reply_to_whole != 0 && upstream.whole_waiting() > 0) upstream.AnswerByItself(reply_to_whole);
  }
}

void SessionWorld::Turn() {
  worker_->loop().Turn();
  Act();
}

void SessionWorld::Settle() {
  uint64_t moved = kernel_.moved;
  for (int turns = 0;; ++turns) {
    if (std::exchange(moved, kernel_.moved) != kernel_.moved) turns = 0;
    Require(turns < kTurnsMax, "the loop comes to rest when nothing happens");
    if (!worker_->loop().Turn()) {
      Act();
      if (!worker_->loop().Turn()) break;
    }
    Act();
  }
  Check();
}

void SessionWorld::Pass(Micros time) {
  const SteadyTime until = kernel_.now() + time;
  while (true) {
    const auto next = kernel_.NextTimer();
    if (!next || *next > until) break;
    kernel_.AdvanceTo(*next);
    Settle();
  }
  kernel_.AdvanceTo(until);
  Settle();
}

void SessionWorld::Check() {
  CheckMemory();
  CheckGone();
}

void SessionWorld::CheckMemory() {
  const size_t now = AllocatedBytes();
  size_t allowed = memory_at_start_ + 2 * kMemoryPerClient;
  for (const auto* list : {&clients_, &left_}) {
    for (const auto& client : *list) {
      if (client)
        allowed +=
            client->held() +
            (client->peer().attached() ? kMemoryPerClient + 4 * shared_->options.buffer_high_bytes : 0);
    }
  }
  for (const auto& upstream : upstreams_) allowed += upstream->held() + 1024;
  allowed += kernel_.HeldBytes() + (traffic_.arrived.size() + traffic_.whole.size()) * 256;
  Require(now <= allowed, "what a session may hold is bounded");
}

// Who has left is noticed, however little is read of it.
void SessionWorld::CheckGone() {
  for (const auto* list : {&clients_, &left_}) {
    for (const auto& client : *list) {
      if (!client || !client->peer().closed() || !client->peer().attached()) continue;
      if (!client->peer().reset_told() && !client->peer().fin_told()) continue;
      client->gone_at = std::min(client->gone_at, kernel_.now());
      const Micros within = client->peer().reset_told() ? kResetWithin : kToldWithin;
      Require(kernel_.now() - client->gone_at <= within, "a client that has left is noticed");
    }
  }
}

void SessionWorld::Leave(bool abrupt) {
  for (size_t i = 0; i < kClients; ++i) {
    if (!clients_[i]) continue;
    if (abrupt) clients_[i]->Reset();
    clients_[i]->Close();
  }
  kernel_.LetHangingThrough();
  Pass(kAllDeadlines);
  Require(shared_->clients == 0, "no session outlives its client and all deadlines");
  const size_t listeners = draining_ ? 0 : 1;
  Require(kernel_.CountOpen<SocketFile>() == listeners,
          "no connection outlives its client and all deadlines");
  Drain();
  Settle();
  Require(drained_, "draining ends when no client is left");
}

}  // namespace apiquota::fuzz
