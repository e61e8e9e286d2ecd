#include "app/agent.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <string>
#include <utility>

#include "apis/route_table.h"
#include "app/poll_facts.h"
#include "base/known_names.h"
#include "base/log.h"
#include "http/forward.h"

namespace apiquota::app {
namespace {

std::vector<expose::ApiFacts> FactsOf(const Settings& settings) {
  std::vector<expose::ApiFacts> facts;
  for (const apis::ApiOptions& api : settings.config.apis) {
    expose::ApiFacts& fact = facts.emplace_back();
    fact.name = api.name;
    fact.exporter = api.exporter;
    fact.base_url = api.base_url_by_operator
                        ? api.base_url
                        : provider::Info(*settings.exporters.Find(api.exporter)).base_url;
    fact.route = api.route;
    for (const apis::KeyOptions& key : api.keys) fact.keys.push_back(key.name);
    fact.labels = api.labels;
    fact.guard = api.guard;
    fact.implied = api.implied;
  }
  return facts;
}

// What the configuration calls things: the rest is forgotten.
std::shared_ptr<const KnownNames> NamesIn(const config::Config& config) {
  std::vector<ApiNames> names;
  for (const apis::ApiOptions& api : config.apis) {
    ApiNames& entry = names.emplace_back();
    entry.api = api.name;
    entry.implied = api.implied;
    for (const apis::KeyOptions& key : api.keys) entry.keys.push_back(key.name);
    for (const apis::CallerOptions& caller : config.callers) {
      if (caller.MayUse(api.name)) entry.callers.push_back(caller.name);
    }
  }
  return std::make_shared<const KnownNames>(std::move(names));
}

// Where the guard's part of the state is kept.
std::string BesideStateFile(const config::Config& config) {
  return config.state_file.empty() ? std::string() : config.state_file + ".guard";
}

// What is on the page whatever happens, beside what the registry and the ledger have: the agent itself and
// its refusals, four series of each target that is polled, and what else an api that is guarded may have
// under "other".
size_t SeriesSetAside(const config::Config& config) {
  constexpr size_t kOfAgent = 100;
  constexpr size_t kOfTarget = 4;
  constexpr size_t kOfGuarded = 16;
  size_t series = kOfAgent;
  for (const apis::ApiOptions& api : config.apis) {
    if (api.poll) series += kOfTarget * std::max<size_t>(api.keys.size(), 1);
    if (api.guard.active() && !api.implied) series += kOfGuarded;
  }
  return series;
}

std::vector<quota::DeclaredApi> DeclaredIn(const Settings& settings) {
  std::vector<quota::DeclaredApi> declared;
  for (const apis::ApiOptions& api : settings.config.apis) {
    quota::DeclaredApi& entry = declared.emplace_back();
    entry.api = api.name;
    entry.exporter = api.exporter;
    entry.limits = api.limits;
    for (const apis::KeyOptions& key : api.keys) entry.keys.push_back(key.name);
  }
  return declared;
}

// What a reload leaves as it is, although the file now says something else; empty if nothing.
std::string NeedsRestart(const config::Config& before, const config::Config& after) {
  std::string sections;
  const auto add = [&](bool same, std::string_view section) {
    if (!same) sections.append(sections.empty() ? "" : ", ").append(section);
  };
  add(before.admin == after.admin, "admin");
  add(before.proxy == after.proxy, "proxy");
  add(before.poller == after.poller, "poller");
  add(before.ledger == after.ledger, "ledger");
  add(before.metrics == after.metrics, "metrics");
  add(before.state_file == after.state_file, "state");
  add(before.key_salt_file == after.key_salt_file, "key_salt_file");
  return sections;
}

void LogListening(std::string_view surface, net::ListenAddress address, uint16_t port, bool tls) {
  address.port = port;
  const LogField name{"surface", std::string(surface)};
  const LogField at{"address", net::ToText(address)};
  if (tls) return Log(LogLevel::kInfo, "listening", {name, at, {"tls", "on"}});
  Log(LogLevel::kInfo, "listening", {name, at});
}

}  // namespace

Agent::Agent(const ServeOptions& options, Settings settings, Secret salt, const Clock& clock)
    : options_(options),
      clock_(clock),
      settings_(std::move(settings)),
      fingerprinter_(std::move(salt)),
      registry_(settings_.config.metrics.series_max),
      metrics_(registry_),
      ledger_(settings_.config.ledger, &registry_.shares()),
      state_(settings_.config.state_file),
      guard_state_(BesideStateFile(settings_.config)),
      facts_({.version = options.version,
              .revision = options.revision,
              .last_reload_success = clock.SystemNow()}),
      // Main's thread waits for signals: the one of an operator wakes it for a page's request, too.
      reload_desk_([] { kill(getpid(), SIGHUP); }),
      guard_(clock) {}

Result<std::unique_ptr<Agent>> Agent::Start(const ServeOptions& options, Settings settings, Secret salt,
                                            const Clock& clock) {
  std::unique_ptr<Agent> agent(new Agent(options, std::move(settings), std::move(salt), clock));
  agent->ForgetOthersThan(agent->settings_);
  agent->state_.Restore(agent->ledger_, clock.RunningNow().at);
  agent->guard_.Configure(agent->settings_);
  agent->guard_state_.Restore(agent->guard_.guard(), clock.RunningNow().at);
  agent->facts_.ReloadSucceeded(FactsOf(agent->settings_), clock.SystemNow());
  if (const Status listening = agent->Listen(); !listening) return std::unexpected(listening.error());
  return agent;
}

Status Agent::Listen() {
  const config::Config& config = settings_.config;
  if (config.admin.web.http2_asked_for || config.proxy.web.http2_asked_for) {
    Log(LogLevel::kWarn, "http2_not_spoken", {{"setting", "http_server_config.http2"}, {"effect", "none"}});
  }
  auto routes = BuildRoutes(settings_);
  if (!routes) return std::unexpected(routes.error());
  (*routes)->ShowConfigured();
  const PageSources sources{.clock = clock_,
                            .ledger = ledger_,
                            .metrics = metrics_,
                            .facts = facts_,
                            .polls = [this] { return Polls(); },
                            .ready = ready_,
                            .reload_desk = config.admin.enable_lifecycle ? &reload_desk_ : nullptr,
                            .guard = &guard_.guard(),
                            .caches = [this] { return guard_.caches().View(); }};
  auto admin = net::AdminServer::Start(config.admin, AdminPages(sources), clock_);
  if (!admin) return std::unexpected(admin.error());
  admin_ = std::move(*admin);
  auto proxy = proxy::Proxy::Start(config.proxy, *routes,
                                   {.clock = clock_,
                                    .ledger = ledger_,
                                    .metrics = metrics_,
                                    .own_ports = {admin_->port(), admin_->inner_port()},
                                    .pseudonym = http::ViaPseudonym(std::random_device()()),
                                    .guard = &guard_.guard(),
                                    .guard_clock = &guard_.guard_clock(),
                                    .caches = &guard_.caches()});
  if (!proxy) return std::unexpected(proxy.error());
  proxy_ = std::move(*proxy);
  poller_ = std::make_unique<poll::Poller>(
      config.poller, poll::PollerDeps{.clock = clock_,
                                      .ledger = ledger_,
                                      .own_ports = {admin_->port(), admin_->inner_port(), proxy_->port()},
                                      .tls = config.proxy.tls,
                                      .user_agent = "apiquota/" + options_.version,
                                      .guard = &guard_.guard()});
  poller_->SetRoutes(*routes);
  LogListening("admin", config.admin.listen, admin_->port(), config.admin.web.tls.has_value());
  LogListening("proxy", config.proxy.listen, proxy_->port(), config.proxy.web.tls.has_value());
  ready_ = true;
  Log(LogLevel::kInfo, "ready",
      {{"version", options_.version}, {"apis", std::to_string(config.apis.size())}});
  return {};
}

// Counters and readings of what is no longer configured go, wherever they are kept.
void Agent::ForgetOthersThan(const Settings& settings) {
  const auto names = NamesIn(settings.config);
  registry_.Configure(names, SeriesSetAside(settings.config));
  metrics_.unread_headers.Forget();
  ledger_.Configure(names);
  ledger_.declared().Configure(DeclaredIn(settings), clock_.RunningNow().at);
}

// Pages are served before there is a poller.
std::vector<expose::PollFacts> Agent::Polls() const {
  if (!ready_ || poller_ == nullptr) return {};
  return PollFactsOf(poller_->Status());
}

Result<std::shared_ptr<const apis::RouteTable>> Agent::BuildRoutes(const Settings& settings) {
  const proxy::ProxyOptions& running = settings_.config.proxy;  // a reload leaves them as they are
  return apis::BuildRoutes(settings.config.apis, settings.config.callers, settings.exporters, fingerprinter_,
                           metrics_,
                           {.connect = running.connect_timeout,
                            .tls = running.tls_timeout,
                            .first_byte = running.first_byte_timeout,
                            .idle = running.upstream_idle_timeout});
}

void Agent::Reload() {
  reload_desk_.Serve([this] {
    Status outcome = LoadAgain();
    if (!outcome) {
      facts_.ReloadFailed();
      Log(LogLevel::kError, "reload_failed",
          {{"error", outcome.error().message}, {"effect", "the old configuration stays"}});
    }
    return outcome;
  });
}

// Everything is parsed and built before anything is swapped.
Status Agent::LoadAgain() {
  Result<Settings> loaded = LoadSettings(options_);
  if (!loaded) return std::unexpected(loaded.error());
  auto routes = BuildRoutes(*loaded);
  if (!routes) return std::unexpected(routes.error());
  ForgetOthersThan(*loaded);
  guard_.Configure(*loaded);
  (*routes)->ShowConfigured();
  proxy_->SetRoutes(*routes);
  poller_->SetRoutes(*routes);
  facts_.ReloadSucceeded(FactsOf(*loaded), clock_.SystemNow());
  SaveState();  // names that are gone leave the file, too
  const std::string sections = NeedsRestart(settings_.config, loaded->config);
  Log(LogLevel::kInfo, "reloaded", {{"apis", std::to_string(loaded->config.apis.size())}});
  if (!sections.empty()) Log(LogLevel::kWarn, "restart_needed", {{"changed", sections}});
  // Only what was swapped; the rest still describes the running agent.
  settings_.exporters = std::move(loaded->exporters);
  settings_.config.apis = std::move(loaded->config.apis);
  settings_.config.callers = std::move(loaded->config.callers);
  return {};
}

void Agent::SaveState() {
  state_.Save(ledger_, clock_.RunningNow());
  if (guard_.used()) guard_state_.Save(guard_.guard(), clock_.RunningNow());
}

void Agent::Drain() {
  ready_ = false;
  poller_->Stop();
  guard_.Drain(settings_.config.proxy.drain_timeout);
  proxy_->Drain();
  SaveState();
}

}  // namespace apiquota::app
