// A fixed agent in the middle of its work: what the golden page and the golden JSON show. Header only.
#pragma once

#include <chrono>
#include <memory>

#include "expose/metrics.h"
#include "metrics/agent_metrics.h"
#include "metrics/telemetry.h"

namespace apiquota::expose {

inline SystemTime SampleTime(double seconds) {
  return SystemTime(std::chrono::seconds(1'700'000'000)) + SecondsToMicros(seconds);
}

// A fixed window that will run out.
inline quota::QuotaView SampleCore() {
  quota::QuotaView view;
  view.id = {"github", "ci", "core", "requests", "requests"};
  view.exporter = "github";
  view.kind = provider::QuotaKind::kFixed;
  view.limit = 5000;
  view.remaining = 400;
  view.used = 4600;
  view.used_ratio = 0.92;
  view.reset_at = SampleTime(1800.25);
  view.window_seconds = 3600;
  view.policy = "core";
  view.valid = true;
  view.observed_at = SampleTime(-2.5);
  view.exhaustion_at = SampleTime(900);
  view.consumed_total = 4321;
  view.windows_exhausted_total = 1;
  view.limit_changes_total = 1;
  return view;
}

// A short one whose reading has expired.
inline quota::QuotaView SampleSearch() {
  quota::QuotaView view;
  view.id = {"github", "ci", "search", "requests", "requests"};
  view.exporter = "github";
  view.kind = provider::QuotaKind::kFixed;
  view.limit = 30;
  view.limit_assumed = true;
  view.window_seconds = 60;
  view.observed_at = SampleTime(-90);
  view.consumed_total = 40;
  view.window_peaks = quota::PeakHistogram{{1, 0, 1, 0, 0, 1}, 2.25};
  return view;
}

// A bucket that is empty.
inline quota::QuotaView SampleTokens() {
  using provider::SignalField;
  quota::QuotaView view;
  view.id = {"openai-prod", "hmac:0a1b2c3d", "gpt-4o", "tokens", "tokens"};
  view.exporter = "openai";
  view.kind = provider::QuotaKind::kBucket;
  view.limit = 30000;
  view.remaining = 0;
  view.used = 30000;
  view.used_ratio = 1;
  view.reset_at = SampleTime(60);
  view.window_seconds = 60;
  view.derived = {SignalField::kUsed, SignalField::kWindow};
  view.valid = true;
  view.observed_at = SampleTime(-1);
  view.consumed_total = 30000.5;
  view.window_peaks = quota::PeakHistogram{};
  return view;
}

// Calls in progress: nothing of them is consumed.
inline quota::QuotaView SampleCalls() {
  quota::QuotaView view;
  view.id = {"slow-api", "anonymous", "", "concurrent", "requests"};
  view.exporter = "generic";
  view.kind = provider::QuotaKind::kConcurrency;
  view.limit = 10;
  view.remaining = 8;
  view.used = 2;
  view.used_ratio = 0.2;
  view.valid = true;
  view.observed_at = SampleTime(-1);
  return view;
}

inline quota::Snapshot SampleSnapshot() {
  return {SampleTime(0), {SampleCore(), SampleSearch(), SampleTokens(), SampleCalls()}, 3};
}

inline std::vector<ApiFacts> SampleApis() {
  return {{"github",
           "github",
           "https://api.github.com",
           "/github",
           {"ci"},
           {},
           {"x-ratelimit-cost", "x-ratelimit-pool"}},
          {"openai-prod",
           "openai",
           "https://api.openai.com",
           "/openai",
           {},
           {{"team", "research"}, {"cost-center", "4711"}}}};
}

// One target that answers, one that does not, one that was never asked yet.
inline std::vector<PollFacts> SamplePolls() {
  return {{"github", "ci", "GET", "/rate_limit", 60, SampleTime(30), 0,
           PollFacts::Last{SampleTime(-30), 0.25, true, "ok", 200, ""}, SampleTime(-30)},
          {"openai-prod", "ci", "GET", "/v1/models", 300, SampleTime(590), 3,
           PollFacts::Last{SampleTime(-10), 0.125, false, "rejected", 401, "the API rejects the credential"},
           SampleTime(-910)},
          {"slow-api", "anonymous", "HEAD", "/", 60, std::nullopt, 0, std::nullopt, std::nullopt}};
}

// The operator's own limits: by caller, by key, and two of one name by address.
inline std::vector<guard::LimitRule> SampleRules() {
  using Kind = guard::LimitSubject::Kind;
  guard::LimitRule tokens, bursts, each;
  tokens.name = "tokens-a-day";
  tokens.by = {{Kind::kCaller}};
  tokens.unit = guard::LimitRule::Unit::kTokens;
  tokens.limit = 2000000;
  tokens.window = std::chrono::hours(24);
  bursts.name = "bursts";
  bursts.by = {{Kind::kKey}};
  bursts.algorithm = guard::LimitRule::Algorithm::kGcra;
  bursts.limit = 600;
  bursts.burst = 20;
  bursts.window = std::chrono::minutes(1);
  each.name = "each";
  each.by = {{Kind::kAddress}, {Kind::kHeader, "x-role"}};
  each.algorithm = guard::LimitRule::Algorithm::kSliding;
  each.missing = guard::LimitRule::Missing::kAllow;
  each.limit = 10;
  each.window = std::chrono::minutes(1);
  guard::LimitRule first = each;
  first.limit = 5;
  first.match.path = "/v1/embeddings*";
  first.match.methods = {"POST"};
  first.match.headers = {{"x-tenant", "acme"}};
  return {tokens, bursts, first, each};
}

// An API that is ill, whose callers are near their limits.
inline guard::ApiView SampleApiView() {
  guard::ApiView view{.api = "openai-prod", .breaker = std::nullopt, .limits = {}};
  view.breaker = guard::BreakerView{true, SampleTime(7.5), 3, 2, SampleTime(-42.5)};
  for (const guard::LimitRule& rule : SampleRules()) view.limits.push_back({.rule = rule});
  view.limits[3].place = 2;
  guard::LimitRuleView judged = view.limits[0];
  judged.judged = true;
  view.limits.push_back(judged);
  view.limits[0].uses = {{"nightly", "", "", "", 1900000, 2000000, SampleTime(3600)}};
  view.limits[1].uses = {{"", "hmac:0a1b2c3d", "", "", 15, 20, SampleTime(0.5)}};
  view.limits[2].uses = {{"", "", "192.0.2.7", "3e1c", 4, 5, SampleTime(30)}};
  view.limits[3].uses = {{"", "", "192.0.2.7", "5f3a", 9, 10, SampleTime(30)},
                         {"", "", "", "77b1", 1, 10, SampleTime(40)}};
  view.limits[3].memory = {1000000, 67108864, 12};
  view.limits[4].uses = {{"nightly", "", "", "", 1900000, 2000000, SampleTime(3600)}};
  view.routes = {{"POST /v1/embeddings", 120, 40, 120}, {"GET /v1/models", 12, 0, 0}};
  guard::Refusal limit, ill;
  limit.reason = guard::Reason::kLimit;
  limit.quota = "tokens-a-day";
  limit.limit = 2000000;
  limit.window_seconds = 86400;
  limit.until = SampleTime(3600);
  ill.reason = guard::Reason::kBreaker;
  ill.status = 503;
  ill.until = SampleTime(7.5);
  view.last_refused = guard::ApiRefusal{SampleTime(-1), ill, "", "hmac:0a1b2c3d"};
  view.last_judged = guard::ApiRefusal{SampleTime(-2), limit, "nightly", "hmac:0a1b2c3d"};
  return view;
}

inline CacheFacts SampleCache() {
  CacheFacts cache;
  cache.view = {.bytes = 1048576,
                .bytes_max = 67108864,
                .answers = 42,
                .groups = 1,
                .followers = 99,
                .evicted = 5,
                .orphans = 3,
                .orphans_given_up = 2,
                .served_stale_at = SampleTime(-20)};
  cache.requests = {{"hit", 60}, {"miss", 30}};
  cache.saved = {{"requests", 60}, {"tokens", 90000}};
  return cache;
}

// Apart, or GCC 12 takes its parts for uninitialized.
[[gnu::noinline]] inline guard::Options SampleOptions() {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  on.retry.mode = guard::Mode::kOff;
  on.breaker = guard::BreakerOptions();
  on.cache = guard::CacheOptions();
  on.limits = SampleRules();
  return on;
}

// One api whose key cools down while others wait; one whose second set of settings alone is judged.
inline GuardFacts SampleGuard() {
  const guard::Options on = SampleOptions();
  guard::Options off;
  off.shadow = std::make_shared<const guard::Options>(on);
  guard::KeyView view;
  view.in_flight = 2;
  view.slots = guard::SlotsView{2, 7, 10};
  view.waiting = 13;
  view.queues = {{"gpt-4o", 12, SampleTime(-4.5), SampleTime(60)}, {"", 0, std::nullopt, std::nullopt}};
  view.cooldowns = {{"gpt-4o", "retry-after", SampleTime(20), 1}};
  view.limits = {{"gpt-4o", "tokens", "tokens", 30000, 1200.5, 60, 2500},
                 {"gpt-4o-mini", "tokens", "tokens", 60000, std::nullopt, 60, 500},
                 {"gpt-4o", "requests", "requests", 500, 480, 60, 2}};
  guard::KeyView shadow;
  shadow.in_flight = 1;
  shadow.limits = {{"core", "requests", "requests", 5000, 4000, 3600, 1}};
  GuardFacts facts =
      MakeGuardFacts({{"openai-prod", on}, {"github", off}, {"never-used", on}},
                     {{"github", "ci", {}, shadow}, {"openai-prod", "hmac:0a1b2c3d", view}}, {},
                     {{"github", "pace", "reject", "shadow", 3},
                      {"openai-prod", "none", "allow", "on", 90},
                      {"openai-prod", "pace", "delay", "on", 12},
                      {"openai-prod", "retry_after", "delay", "on", 1}});
  AddApiViews({SampleApiView()}, {}, &facts);
  AddCaches({{"openai-prod", SampleCache()}}, {}, &facts);
  return facts;
}

inline void CountSamples(metrics::Registry& registry) {
  const metrics::AgentMetrics metrics(registry);
  metrics.proxy_requests.With({"github", "200"})->Add(90);
  metrics.proxy_requests.With({"openai-prod", "429"})->Add(7);
  metrics.upstream_requests.With({"github", "ci", "nightly", "GET", "200", "proxy"})->Add(90);
  metrics.upstream_requests.With({"openai-prod", "hmac:0a1b2c3d", "", "POST", "429", "proxy"})->Add(7);
  metrics.upstream_errors.With({"github", "connect_timeout"})->Add(1);
  metrics.throttles.With({"openai-prod", "hmac:0a1b2c3d", "", "gpt-4o", "primary", "status"})->Add(7);
  metrics.tokens.With({"openai-prod", "hmac:0a1b2c3d", "", "gpt-4o", "input", "reported"})->Add(2048);
  metrics.tokens.With({"openai-prod", "hmac:0a1b2c3d", "", "gpt-4o", "output", "reported"})->Add(512);
  metrics.auth_failures.With({"github", "ci"})->Add(2);
  metrics.quota_conflicts.With({"github"})->Add(2);
  metrics.parse_errors.With({"github", "reset"})->Add(1);
  metrics.poll_cost.With({"openai-prod", "ci", "requests"})->Add(12);
  metrics.http_rejected.With({"head_too_large"})->Add(1);
  metrics.retry_after.With({"openai-prod"})->Observe(20);
  metrics.upstream_duration.With({"github"})->Observe(0.2);
  metrics.upstream_first_byte.With({"github"})->Observe(0.1);
  metrics.overhead.With({"github", "request"})->Observe(0.000125);
  metrics.overhead.With({"github", "response"})->Observe(0.0002);
  metrics.guard_decisions.With({"openai-prod", "none", "allow", "on"})->Add(90);
  metrics.guard_decisions.With({"openai-prod", "pace", "delay", "on"})->Add(12);
  metrics.guard_decisions.With({"github", "pace", "reject", "shadow"})->Add(3);
  metrics.guard_retries.With({"openai-prod", "throttle", "retried"})->Add(4);
  metrics.guard_retries.With({"openai-prod", "transient", "budget"})->Add(1);
  metrics.guard_client_retries.With({"openai-prod", "nightly"})->Add(2);
  metrics.guard_blind.With({"openai-prod"})->Add(1);
  metrics.guard_coalescable.With({"openai-prod"})->Add(17);
  metrics.guard_batchable.With({"openai-prod"})->Add(23);
  metrics.guard_delay.With({"openai-prod", "pace"})->Observe(0.42);
  metrics.cache_requests.With({"openai-prod", "hit"})->Add(60);
  metrics.cache_requests.With({"openai-prod", "miss"})->Add(30);
  metrics.quota_saved.With({"openai-prod", "requests"})->Add(60);
  metrics.quota_saved.With({"openai-prod", "tokens"})->Add(90000);
  registry.CountDropped("openai-prod", "apiquota_quota", 3);
}

inline const metrics::Registry& SampleRegistry() {
  static const std::unique_ptr<metrics::Registry> counted = [] {
    auto registry = std::make_unique<metrics::Registry>();
    CountSamples(*registry);
    return registry;
  }();
  return *counted;
}

inline MetricsPage SamplePage() {
  MetricsPage page;
  page.snapshot = SampleSnapshot();
  page.apis = SampleApis();
  page.polls = SamplePolls();
  page.guard = SampleGuard();
  page.agent = {"0.1.0", "0123abc", true, SampleTime(-600), 5};
  page.process = {12.5, 33554432, 268435456, 42, 1024, 1699999000.5, 6};
  page.counted = &SampleRegistry();
  return page;
}

}  // namespace apiquota::expose
