#include "tests/fuzz/session_world.h"

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

void CheckHead(std::string_view head) {
  Require(head.substr(0, head.find("\r\n")).ends_with(" HTTP/1.1"), "requests to the upstream are HTTP/1.1");
  Require(FieldOf(head, "host") == "127.0.0.1:9000", "the upstream's Host is its own");
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

SessionWorld::SessionWorld(const proxy::ProxyOptions& options)
    : World(kPort, &CheckHead, {.together = kAllDeadlines, .per_client = Micros(0)}), fixed_(Always()) {
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
  Begun();
}

SessionWorld::~SessionWorld() {
  worker_.reset();
  Ended();
}

void SessionWorld::Drain() {
  if (std::exchange(draining_, true)) return;
  worker_->Drain([this] { drained_ = true; });
}

void SessionWorld::Reload(bool other) { worker_->SetRoutes(other ? fixed_.one : fixed_.both); }

size_t SessionWorld::HeldPerClient() const {
  return kMemoryPerClient + 4 * shared_->options.buffer_high_bytes;
}

void SessionWorld::CheckAfterAll() {
  Require(shared_->clients == 0, "no session outlives its client and all deadlines");
  Drain();
  Settle();
  Require(drained_, "draining ends when no client is left");
}

}  // namespace apiquota::fuzz
