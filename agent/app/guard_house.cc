#include "app/guard_house.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "provider/exporter.h"

namespace apiquota::app {
namespace {

std::vector<guard::GuardedApi> GuardedIn(const Settings& settings) {
  std::vector<guard::GuardedApi> guarded;
  for (const apis::ApiOptions& api : settings.config.apis) {
    const provider::ExporterPtr exporter = settings.exporters.Find(api.exporter);
    guard::GuardedApi& entry = guarded.emplace_back();
    entry.api = api.name;
    const provider::ExporterInfo& info = provider::Info(*exporter);
    entry.pool = api.base_url.empty() ? info.base_url : api.base_url;
    entry.options = api.guard;
    entry.declared = api.limits;
    entry.named_by_answer = info.resource_naming == provider::ResourceNaming::kAnswer;
  }
  return guarded;
}

// Base URL, and all that says which fields are credentials.
std::string OriginOf(const apis::ApiOptions& api, const provider::ExporterInfo& info) {
  std::string origin = api.exporter + "\n" + (api.base_url.empty() ? info.base_url : api.base_url);
  for (const provider::CredentialRule& rule : info.credentials)
    origin.append("\n").append(rule.header).append("\t").append(rule.scheme).append("\t").append(rule.query);
  return origin;
}

std::vector<proxy::CachedApi> CachedIn(const Settings& settings) {
  std::vector<proxy::CachedApi> cached;
  for (const apis::ApiOptions& api : settings.config.apis) {
    if (api.guard.ModeOf(api.guard.cache) == guard::Mode::kOff) continue;
    const guard::CacheOptions& cache = *api.guard.cache;
    cached.push_back({.api = api.name,
                      .origin = OriginOf(api, provider::Info(*settings.exporters.Find(api.exporter))),
                      .options = {.bytes_max = cache.size, .stale_if_error = cache.stale_if_error}});
  }
  return cached;
}

}  // namespace

GuardHouse::GuardHouse(const Clock& clock)
    : clock_(clock), loop_(clock), guard_clock_(loop_), guard_(guard_clock_) {
  guard_clock_.Wind(guard_);
}

GuardHouse::~GuardHouse() { loop_.Stop(); }

void GuardHouse::Configure(const Settings& settings) {
  std::vector<guard::GuardedApi> guarded = GuardedIn(settings);
  const bool any = std::ranges::any_of(guarded, [](const auto& api) { return api.options.active(); });
  guard_.Configure(std::move(guarded), clock_.RunningNow().at);
  caches_.Configure(CachedIn(settings));
  if (any && !std::exchange(running_, true)) loop_.Start();
}

void GuardHouse::Drain(Micros time) {
  const SystemTime now = clock_.RunningNow().at;
  guard_.Drain(now + time, now);
}

}  // namespace apiquota::app
