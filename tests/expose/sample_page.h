// A fixed agent in the middle of its work: what the golden page and the golden JSON show. Header only.
#pragma once

#include <chrono>

#include "base/telemetry.h"
#include "expose/metrics.h"
#include "quota/agent_metrics.h"

namespace apiquota::expose {

inline SystemTime SampleTime(double seconds) {
  return SystemTime(std::chrono::seconds(1'700'000'000)) + SecondsToMicros(seconds);
}

// A bucket in use, a fixed window that will run out, one whose reading has expired, calls in progress and a
// balance.
inline quota::Snapshot SampleSnapshot() {
  using provider::QuotaKind;
  using provider::SignalField;
  quota::Snapshot snapshot;
  snapshot.at = SampleTime(0);
  snapshot.dropped_total = 3;

  quota::QuotaView core;
  core.id = {"github", "ci", "core", "requests", "requests"};
  core.exporter = "github";
  core.kind = QuotaKind::kFixed;
  core.limit = 5000;
  core.remaining = 400;
  core.used = 4600;
  core.used_ratio = 0.92;
  core.reset_at = SampleTime(1800.25);
  core.window_seconds = 3600;
  core.policy = "core";
  core.valid = true;
  core.observed_at = SampleTime(-2.5);
  core.exhaustion_at = SampleTime(900);
  core.consumed_total = 4321;
  core.windows_exhausted_total = 1;
  core.limit_changes_total = 1;

  quota::QuotaView search = core;
  search.id.resource = "search";
  search.limit = 30;
  search.remaining.reset();
  search.used.reset();
  search.used_ratio.reset();
  search.reset_at.reset();
  search.window_seconds = 60;
  search.policy.reset();
  search.valid = false;
  search.limit_assumed = true;
  search.exhaustion_at.reset();
  search.consumed_total = 40;
  search.windows_exhausted_total = 0;
  search.limit_changes_total = 0;
  search.window_peaks = quota::PeakHistogram{{1, 0, 1, 0, 0, 1}, 2.25};

  quota::QuotaView tokens = search;
  tokens.id = {"openai-prod", "hmac:0a1b2c3d", "gpt-4o", "tokens", "tokens"};
  tokens.exporter = "openai";
  tokens.kind = QuotaKind::kBucket;
  tokens.limit = 30000;
  tokens.remaining = 0;
  tokens.used = 30000;
  tokens.used_ratio = 1;
  tokens.reset_at = SampleTime(60);
  tokens.derived = {SignalField::kUsed, SignalField::kWindow};
  tokens.valid = true;
  tokens.limit_assumed = false;
  tokens.consumed_total = 30000.5;
  tokens.window_peaks = quota::PeakHistogram{};

  quota::QuotaView calls;
  calls.id = {"openai-prod", "hmac:0a1b2c3d", "gpt-4o", "zz-calls", "requests"};
  calls.exporter = "openai";
  calls.kind = QuotaKind::kConcurrency;
  calls.limit = 10;
  calls.remaining = 8;
  calls.used = 2;
  calls.used_ratio = 0.2;
  calls.valid = true;
  calls.observed_at = SampleTime(-1);

  snapshot.quotas = {core, search, tokens, calls};
  return snapshot;
}

inline std::vector<ApiFacts> SampleApis() {
  return {{"github", "github", "https://api.github.com", "/github", {"ci"}, {}},
          {"openai-prod",
           "openai",
           "https://api.openai.com",
           "/openai",
           {},
           {{"team", "research"}, {"cost-center", "4711"}}}};
}

inline MetricsPage SamplePage() {
  Registry registry;
  const quota::AgentMetrics metrics(registry);
  metrics.proxy_requests.With({"github", "200"}).Add(90);
  metrics.proxy_requests.With({"openai-prod", "429"}).Add(7);
  metrics.upstream_requests.With({"github", "ci", "nightly", "GET", "200", "proxy"}).Add(90);
  metrics.upstream_requests.With({"openai-prod", "hmac:0a1b2c3d", "", "POST", "429", "proxy"}).Add(7);
  metrics.upstream_errors.With({"github", "connect_timeout"}).Add(1);
  metrics.throttles.With({"openai-prod", "hmac:0a1b2c3d", "", "gpt-4o", "primary", "status"}).Add(7);
  metrics.auth_failures.With({"github", "ci"}).Add(2);
  metrics.parse_errors.With({"github", "reset"}).Add(1);
  metrics.http_rejected.With({"head_too_large"}).Add(1);
  metrics.retry_after.With({"openai-prod"}).Observe(20);
  metrics.upstream_duration.With({"github"}).Observe(0.2);
  metrics.upstream_first_byte.With({"github"}).Observe(0.1);
  metrics.overhead.With({"github", "request"}).Observe(0.000125);
  metrics.overhead.With({"github", "response"}).Observe(0.0002);

  MetricsPage page;
  page.snapshot = SampleSnapshot();
  page.apis = SampleApis();
  page.agent = {"0.1.0", "0123abc", true, SampleTime(-600), 5};
  page.process = {12.5, 33554432, 268435456, 42, 1024, 1699999000.5, 6};
  page.counted = registry.Collect();
  return page;
}

}  // namespace apiquota::expose
