#include "app/admin_pages.h"

#include <fmt/format.h>

#include "app/explain_page.h"
#include "app/process.h"
#include "base/log.h"
#include "expose/guard_json.h"
#include "expose/metrics.h"
#include "expose/process_stats.h"
#include "expose/quotas_json.h"

namespace apiquota::app {
namespace {

using net::AdminRequest;
using net::AdminResponse;
using net::AdminRoute;

constexpr Micros kReloadPatience = std::chrono::seconds(30);
constexpr char kJson[] = "application/json";
constexpr char kText[] = "text/plain; charset=utf-8";

AdminResponse LandingPage(const expose::AgentFacts& agent) {
  constexpr std::string_view kPage = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>apiquota</title></head>
<body>
<h1>apiquota {}</h1>
<p>How much of every API's quota is left.</p>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/api/v1/quotas">/api/v1/quotas</a>: every quota, as JSON</li>
<li><a href="/api/v1/apis">/api/v1/apis</a>: the configured APIs, as JSON</li>
<li><a href="/api/v1/guard">/api/v1/guard</a>: what waits, cools down and is reserved, as JSON</li>
<li>/api/v1/explain?api=NAME: why the guard let its last request go, wait or fail, as JSON</li>
<li><a href="/-/healthy">/-/healthy</a> and <a href="/-/ready">/-/ready</a>: for supervisors</li>
</ul>
</body>
</html>
)";
  return {200, "text/html; charset=utf-8", fmt::format(fmt::runtime(kPage), agent.version)};
}

quota::Snapshot Read(const PageSources& sources) {
  const RunningTime now = sources.clock.RunningNow();
  return sources.ledger.Read(now.at, now.system_ahead);
}

std::vector<expose::ApiFacts> Apis(const PageSources& sources) {
  std::vector<expose::ApiFacts> apis = sources.facts.apis();
  for (expose::ApiFacts& api : apis)
    api.unread_limit_headers = sources.metrics.unread_headers.NamesOf(api.name);
  return apis;
}

expose::GuardFacts Guarded(const PageSources& sources) {
  if (sources.guard == nullptr) return {};
  return ReadGuard(*sources.guard, sources.caches ? sources.caches() : CacheViews(), sources.facts.apis(),
                   sources.metrics, sources.clock.RunningNow());
}

constexpr size_t kLargePage = 256 * 1024;

AdminResponse Metrics(const PageSources& sources) {
  expose::MetricsPage page{Read(sources),
                           Apis(sources),
                           sources.polls(),
                           Guarded(sources),
                           sources.facts.agent(),
                           expose::ParseProc(expose::ReadProc()),
                           &sources.metrics.registry};
  // On the page for as long as it is being made: what a scrape shows is held against series_max, too.
  const BorrowedSeries borrowed(sources.metrics.registry, &page.guard);
  page.agent.log_lines_dropped = LogLinesDropped();
  AdminResponse response{200, expose::kMetricsContentType, expose::MetricsText(page)};
  if (response.body.size() >= kLargePage) ReturnFreeMemory();
  return response;
}

AdminResponse Reload(ReloadDesk& desk) {
  const Status outcome = desk.Ask(kReloadPatience);
  if (outcome) return {200, kText, "reloaded\n"};
  return {500, kText,
          fmt::format("not reloaded, the old configuration is still in use: {}\n", outcome.error().message)};
}

}  // namespace

void SharedFacts::ReloadSucceeded(std::vector<expose::ApiFacts> apis, SystemTime now) {
  const std::lock_guard lock(mutex_);
  apis_ = std::move(apis);
  agent_.last_reload_successful = true;
  agent_.last_reload_success = now;
}

void SharedFacts::ReloadFailed() {
  const std::lock_guard lock(mutex_);
  agent_.last_reload_successful = false;
}

std::vector<expose::ApiFacts> SharedFacts::apis() const {
  const std::lock_guard lock(mutex_);
  return apis_;
}

expose::AgentFacts SharedFacts::agent() const {
  const std::lock_guard lock(mutex_);
  return agent_;
}

std::vector<AdminRoute> AdminPages(const PageSources& sources) {
  std::vector<AdminRoute> pages = {
      {"GET", "/", [sources](const AdminRequest&) { return LandingPage(sources.facts.agent()); }},
      {"GET", "/metrics", [sources](const AdminRequest&) { return Metrics(sources); }},
      {"GET", "/api/v1/quotas",
       [sources](const AdminRequest&) {
         return AdminResponse{200, kJson, expose::QuotasJson(Read(sources))};
       }},
      {"GET", "/api/v1/apis",
       [sources](const AdminRequest&) {
         return AdminResponse{200, kJson, expose::ApisJson(Apis(sources), sources.polls())};
       }},
      {"GET", "/api/v1/guard",
       [sources](const AdminRequest&) {
         return AdminResponse{200, kJson, expose::GuardJson(Guarded(sources), sources.clock.SystemNow())};
       }},
      {"GET", "/api/v1/explain",
       [sources](const AdminRequest& request) {
         return ExplainPage(sources.guard, sources.facts.apis(), request.query, sources.clock.RunningNow());
       }},
      {"GET", "/-/healthy", [](const AdminRequest&) { return AdminResponse{200, kText, "healthy\n"}; }},
      {"GET", "/-/ready",
       [sources](const AdminRequest&) {
         return sources.ready ? AdminResponse{200, kText, "ready\n"}
                              : AdminResponse{503, kText, "not ready\n"};
       }},
  };
  if (sources.reload_desk != nullptr) {
    pages.push_back(
        {"POST", "/-/reload", [sources](const AdminRequest&) { return Reload(*sources.reload_desk); }});
  }
  return pages;
}

}  // namespace apiquota::app
