#include "tests/fuzz/session_world.h"

#include <array>
#include <utility>

#include "apis/route_table.h"
#include "metrics/agent_metrics.h"
#include "provider/catalogue.h"
#include "tests/fuzz/http_text.h"

namespace apiquota::fuzz {
namespace {

constexpr uint16_t kPort = 4290;
constexpr size_t kMemoryPerClient = 256 * 1024;  // beyond the marks: input, strings that grow by half
constexpr Micros kAllDeadlines = std::chrono::seconds(16);
constexpr size_t kCacheBytes = 64 * 1024;       // of one api
constexpr size_t kMemoryOfLimits = 128 * 1024;  // whoever is counted, of two apis and their shadows

void CheckHead(std::string_view head) {
  Require(head.substr(0, head.find("\r\n")).ends_with(" HTTP/1.1"), "requests to the upstream are HTTP/1.1");
  Require(FieldOf(head, "host") == "127.0.0.1:9000", "the upstream's Host is its own");
}

guard::LimitRule Limit(std::string name, guard::LimitSubject::Kind by, guard::LimitRule::Algorithm algorithm,
                       uint64_t limit) {
  guard::LimitRule rule;
  rule.name = std::move(name);
  rule.by = {{.kind = by}};
  rule.limit = limit;
  rule.window = std::chrono::seconds(4);
  rule.algorithm = algorithm;
  rule.missing = guard::LimitRule::Missing::kAllow;
  return rule;
}

// What runs only where it is written, so narrow that a run comes to its end.
void WriteAll(guard::Options* options) {
  using Algorithm = guard::LimitRule::Algorithm;
  using Kind = guard::LimitSubject::Kind;
  using std::chrono::seconds;
  options->limits = {Limit("each", Kind::kAddress, Algorithm::kFixed, 40),
                     Limit("keys", Kind::kKey, Algorithm::kSliding, 30),
                     Limit("callers", Kind::kCaller, Algorithm::kGcra, 20),
                     Limit("tokens", Kind::kCaller, Algorithm::kSliding, 5000)};
  options->limits.back().unit = guard::LimitRule::Unit::kTokens;
  options->concurrency.emplace().max = 2;
  options->concurrency->adaptive = true;
  options->breaker.emplace().errors = 3;
  options->breaker->open = seconds(1);
  options->breaker->open_max = seconds(2);
  options->cache.emplace().size = kCacheBytes;
  options->cache->post = {{.path = "/embed", .ttl = seconds(3)}};
  options->cache->stale_if_error = seconds(5);
  options->retry.add_idempotency_key = {"/embed"};
  auto judged = std::make_shared<guard::Options>(*options);
  judged->concurrency->max = 1;
  judged->limits.front().limit = 2;
  options->shadow = std::move(judged);
}

guard::Options GuardOptions(Guarding guarding) {
  guard::Options options;
  if (guarding == Guarding::kOff) return options;
  options.mode = guard::Mode::kOn;
  options.queue.max_wait = SessionWorld::kWaitMax;
  options.queue.size = 3;
  options.cold_concurrency = 2;
  options.retry.mode = guarding >= Guarding::kRepeats ? guard::Mode::kOn : guard::Mode::kOff;
  options.retry.replay_bytes_max = 4096;
  if (guarding == Guarding::kAll) WriteAll(&options);
  return options;
}

std::vector<apis::ApiOptions> Apis(Guarding guarding) {
  apis::ApiOptions open;
  open.name = "t";
  open.exporter = "generic";
  open.base_url = "http://127.0.0.1:9000";
  open.base_url_by_operator = true;
  open.route = "/t";
  open.guard = GuardOptions(guarding);
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
  options.tunnel_idle_timeout = seconds(5);
  return options;
}

// What costs too much to be made anew for every run, and does not change what a session does.
struct SessionWorld::Fixed {
  FakeClock clock;
  metrics::Registry registry;
  metrics::AgentMetrics metrics{registry};
  provider::Catalogue exporters = *provider::Catalogue::Embedded();
  struct Tables {
    std::shared_ptr<const apis::RouteTable> both, one;
  };
  std::array<Tables, kGuardings> tables = {For(Guarding::kOff), For(Guarding::kWaits),
                                           For(Guarding::kRepeats), For(Guarding::kAll)};

  Tables For(Guarding guarding) { return {Routes(Apis(guarding)), Routes({Apis(guarding).front()})}; }

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

SessionWorld::SessionWorld(const proxy::ProxyOptions& options, Guarding guarding)
    : World(kPort, &CheckHead, {.together = kAllDeadlines, .per_client = Micros(0)}),
      fixed_(Always()),
      guarding_(guarding) {
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
                                  .clients = {},
                                  .ledger = &ledger_});
  worker_.emplace(*shared_, fixed_.tables[static_cast<size_t>(guarding)].both);
  if (guarding != Guarding::kOff) Guard(Apis(guarding));
  auto group = net::ListenGroup::Open(options.listen);
  Require(group.has_value(), "the proxy's address is free");
  Require(worker_->Listen(std::move(*group)).has_value(), "the proxy listens");
  Begun();
}

SessionWorld::~SessionWorld() {
  if (guarded_) {
    guarded_->clock_of_guard.SetHomes({});
    guarded_->caches.SetHomes({});
  }
  worker_.reset();
  guarded_.reset();
  Ended();
}

void SessionWorld::Drain() {
  if (std::exchange(draining_, true)) return;
  const SystemTime now = fixed_.clock.RunningNow().at;
  if (guarded_) guarded_->guard.Drain(now + shared_->options.drain_timeout, now);
  worker_->Drain([this] { drained_ = true; });
}

void SessionWorld::Guard(const std::vector<apis::ApiOptions>& apis) {
  const SystemTime now = fixed_.clock.RunningNow().at;
  std::vector<guard::GuardedApi> guarded;
  std::vector<proxy::CachedApi> cached;
  for (const apis::ApiOptions& api : apis) {
    guarded.push_back({.api = api.name, .pool = api.name, .options = api.guard, .declared = api.limits});
    if (!api.guard.cache) continue;
    const guard::CacheOptions& cache = *api.guard.cache;
    cached.push_back({.api = api.name,
                      .origin = api.base_url,
                      .options = {.bytes_max = cache.size, .stale_if_error = cache.stale_if_error}});
  }
  if (!guarded_) guarded_.emplace(fixed_.clock);
  guarded_->guard.Configure(std::move(guarded), now);
  guarded_->clock_of_guard.SetHomes({&*worker_});
  shared_->guard = &guarded_->guard;
  guarded_->caches.Configure(cached);
  guarded_->caches.SetHomes({&*worker_});
  shared_->caches = cached.empty() ? nullptr : &guarded_->caches;
  if (guarding_ >= Guarding::kRepeats) LetRequestsBeSent(guard::RetryOptions{}.attempts);
}

bool SessionWorld::TurnLoops() {
  const bool moved = worker_->loop().Turn();
  return (guarded_ && guarded_->loop.Turn()) || moved;
}

void SessionWorld::Reload(bool other) {
  std::vector<apis::ApiOptions> apis = Apis(guarding_);
  if (other) apis.resize(1);
  if (guarded_) Guard(apis);
  const auto& tables = fixed_.tables[static_cast<size_t>(guarding_)];
  worker_->SetRoutes(other ? tables.one : tables.both);
}

size_t SessionWorld::HeldPerClient() const {
  return kMemoryPerClient + 4 * shared_->options.buffer_high_bytes;
}

// What is remembered of two apis, and what is on its way into that.
size_t SessionWorld::HeldElse() const {
  if (guarding_ != Guarding::kAll) return 0;
  return 2 * 2 * kCacheBytes + kMemoryOfLimits;
}

// The guard may have learned by then that the upstream is not to be asked; all of it also where nothing got
// so far.
Micros SessionWorld::ServiceMayTake() const {
  const bool untouched = guarding_ == Guarding::kAll ? !met_anybody() : traffic().heads == 0;
  return !guarded_ || untouched ? Micros(0) : kWaitMax + std::chrono::seconds(1);
}

void SessionWorld::CheckGuardAfterAll() const {
  for (const guard::AccountView& account : guarded_->guard.View(fixed_.clock.RunningNow().at)) {
    Require(account.view.in_flight == 0, "nobody holds a turn when all have left");
    if (account.view.slots)
      Require(account.view.slots->in_use == 0, "nobody holds a slot when all have left");
    for (const auto& queue : account.view.queues)
      Require(queue.depth == 0, "nobody waits when all have left");
    for (const auto& limit : account.view.limits)
      Require(limit.reserved == 0, "nothing is reserved when nothing is under way");
    if (account.shadow)
      Require(account.shadow->in_flight == 0, "what is judged holds nothing when all have left");
  }
}

void SessionWorld::CheckCachesAfterAll() const {
  for (const auto& [api, view] : guarded_->caches.View()) {
    Require(view.groups == 0 && view.followers == 0, "nobody leads or follows when all have left");
    Require(view.bytes <= view.bytes_max, "a cache keeps to its size");
    Require(guarded_->caches.For(api)->filling.total() == 0, "no answer is gathered for nobody");
  }
}

void SessionWorld::CheckAfterAll() {
  Require(shared_->clients == 0, "no session outlives its client and all deadlines");
  Require(shared_->kept_bodies.total() == 0, "no body is kept for nobody");
  if (guarded_) {
    CheckGuardAfterAll();
    CheckCachesAfterAll();
  }
  Drain();
  Settle();
  Require(drained_, "draining ends when no client is left");
}

}  // namespace apiquota::fuzz
