#include "expose/guard_families.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace apiquota::expose {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Label values in the order of the family's names → value; a map, since resources may share a series.
using Values = std::map<std::vector<std::string>, double>;

MetricFamily FamilyOf(MetricType type, std::string name, std::string help,
                      const std::vector<std::string>& labels, const Values& values) {
  MetricFamily family{std::move(name), std::move(help), type, {}};
  for (const auto& [label_values, value] : values) {
    ClientMetric& metric = family.metric.emplace_back();
    for (size_t i = 0; i < labels.size(); ++i) metric.label.push_back({labels[i], label_values[i]});
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  return family;
}

MetricFamily Gauge(std::string name, std::string help, const std::vector<std::string>& labels,
                   const Values& values) {
  return FamilyOf(MetricType::Gauge, std::move(name), std::move(help), labels, values);
}

// Of what counts by itself since the start.
MetricFamily Count(std::string name, std::string help, const std::vector<std::string>& labels,
                   const Values& values) {
  return FamilyOf(MetricType::Counter, std::move(name), std::move(help), labels, values);
}

void AddQueues(const GuardFacts& facts, SystemTime now, std::vector<MetricFamily>* families) {
  Values depth, capacity, oldest, overdue;
  for (const GuardedFacts& api : facts.apis) {
    if (!api.queue || api.options.ModeOf(api.options.queue) != guard::Mode::kOn) continue;
    depth[{api.api}] = static_cast<double>(api.queue->depth);
    capacity[{api.api}] = static_cast<double>(api.options.queue.size);
    if (const auto& since = api.queue->oldest) oldest[{api.api}] = std::max(0.0, ToSeconds(now - *since));
    overdue[{api.api}] = OverdueSeconds(*api.queue, now);
  }
  families->push_back(Gauge("apiquota_queue_depth", "Requests that wait for their turn.", {"api"}, depth));
  families->push_back(Gauge("apiquota_queue_capacity",
                            "How many requests may wait, as configured; beyond it they are refused.", {"api"},
                            capacity));
  families->push_back(Gauge("apiquota_queue_oldest_seconds",
                            "How long the request has waited that came first. Absent while nobody waits.",
                            {"api"}, oldest));
  families->push_back(
      Gauge("apiquota_queue_overdue_seconds",
            "How long ago a request that still waits should have had its turn or been refused; "
            "0 unless something is stuck.",
            {"api"}, overdue));
}

void Keep(double value, std::vector<std::string> labels, Values* values) {
  const auto [found, is_new] = values->try_emplace(std::move(labels), value);
  if (!is_new) found->second = std::max(found->second, value);
}

// An answer past its freshness was served so lately that the api counts as failing still.
constexpr Micros kStaleLately = std::chrono::minutes(1);

void AddBreakersAndCaches(const GuardFacts& facts, SystemTime now, std::vector<MetricFamily>* families) {
  Values open, trips, degraded, bytes, capacity, evicted, orphans, given_up;
  for (const GuardedFacts& api : facts.apis) {
    if (const auto& breaker = api.whole.breaker) {
      open[{api.api}] = breaker->open ? 1 : 0;
      trips[{api.api}] = static_cast<double>(breaker->trips);
      degraded[{api.api, "breaker"}] = breaker->open ? 1 : 0;
    }
    if (!api.cache) continue;
    const cache::CacheView& view = api.cache->view;
    bytes[{api.api}] = static_cast<double>(view.bytes);
    capacity[{api.api}] = static_cast<double>(view.bytes_max);
    evicted[{api.api}] = static_cast<double>(view.evicted);
    orphans[{api.api}] = static_cast<double>(view.orphans);
    given_up[{api.api}] = static_cast<double>(view.orphans_given_up);
    const auto& stale = view.served_stale_at;
    degraded[{api.api, "stale"}] = stale && now - *stale < kStaleLately ? 1 : 0;
  }
  families->push_back(Gauge("apiquota_breaker_open",
                            "1 while the API is not asked because it is ill, but for a probe at a time; "
                            "else 0.",
                            {"api"}, open));
  families->push_back(
      Count("apiquota_breaker_trips_total", "How often the breaker has opened.", {"api"}, trips));
  families->push_back(Gauge("apiquota_degraded",
                            "1 while clients get less than the API: breaker: refusals, or what is "
                            "remembered; stale: within the last minute answers past their freshness.",
                            {"api", "mode"}, degraded));
  families->push_back(
      Gauge("apiquota_cache_bytes", "What remembered answers take of memory.", {"api"}, bytes));
  families->push_back(Gauge("apiquota_cache_capacity_bytes",
                            "What remembered answers may take of memory, as configured.", {"api"}, capacity));
  families->push_back(Count("apiquota_cache_evictions_total", "Remembered answers that made room for others.",
                            {"api"}, evicted));
  families->push_back(Gauge("apiquota_cache_orphans",
                            "Requests whose client has gone, and which go on for their answer.", {"api"},
                            orphans));
  families->push_back(Count("apiquota_cache_orphans_given_up_total",
                            "Requests whose client has gone and whose answer was given up, because too many "
                            "went on like that.",
                            {"api"}, given_up));
}

void AddLimits(const GuardFacts& facts, std::vector<MetricFamily>* families) {
  Values used, reset, evicted;
  for (const GuardedFacts& api : facts.apis) {
    for (const auto& [limit, use] : LimitSeriesOf(api)) {
      if (use.allowed <= 0) continue;
      const std::vector<std::string> labels = {api.api, limit, use.caller.empty() ? use.key : use.caller};
      Keep(use.used / use.allowed, labels, &used);
      Keep(ToUnixSeconds(use.reset), labels, &reset);
    }
    for (const guard::LimitRuleView& limit : api.whole.limits) {
      if (!limit.judged) evicted[{api.api, limit.rule.name}] += static_cast<double>(limit.memory.evicted);
    }
  }
  families->push_back(Gauge("apiquota_limit_used_ratio",
                            "Share of a limit of the operator's own that a caller has used; of limits by "
                            "key the label caller holds the key's.",
                            {"api", "limit", "caller"}, used));
  families->push_back(Gauge("apiquota_limit_reset_timestamp_seconds",
                            "When all of the limit of the operator's own (fixed), or the next of it, is "
                            "there again.",
                            {"api", "limit", "caller"}, reset));
  families->push_back(Count("apiquota_limit_evictions_total",
                            "Whose use of a limit of the operator's own was forgotten before its time, "
                            "for want of memory.",
                            {"api", "limit"}, evicted));
}

}  // namespace

std::vector<MetricFamily> GuardFamilies(const GuardFacts& facts, SystemTime now) {
  std::vector<MetricFamily> families;
  AddQueues(facts, now, &families);
  AddBreakersAndCaches(facts, now, &families);
  AddLimits(facts, &families);
  Values cooldowns, reserved, in_flight, slots;
  for (const guard::AccountView& account : facts.accounts) {
    in_flight[{account.api, account.key}] = static_cast<double>(account.view.in_flight);
    if (const auto& held = account.view.slots)
      slots[{account.api, account.key}] = static_cast<double>(held->limit);
    for (const guard::CooldownView& cooldown : account.view.cooldowns) {
      if (cooldown.until > now)
        Keep(ToUnixSeconds(cooldown.until), {account.api, account.key, cooldown.resource}, &cooldowns);
    }
    for (const guard::LimitView& limit : account.view.limits)
      reserved[{account.api, account.key, limit.quota, limit.unit}] += limit.reserved;
  }
  families.push_back(Gauge("apiquota_cooldown_until_timestamp_seconds",
                           "Until when nothing but probes is sent because the API refused. Absent while "
                           "there is no reason.",
                           {"api", "key", "resource"}, cooldowns));
  families.push_back(Gauge("apiquota_reserved",
                           "What requests under way have reserved of the quota, in its unit; 0 at rest.",
                           {"api", "key", "quota", "unit"}, reserved));
  families.push_back(Gauge("apiquota_inflight_requests",
                           "Requests that the guard has let through and whose answers are not complete.",
                           {"api", "key"}, in_flight));
  families.push_back(Gauge("apiquota_inflight_limit",
                           "How many may be under way at a time; an adaptive limit moves with what the API "
                           "bears.",
                           {"api", "key"}, slots));
  return families;
}

}  // namespace apiquota::expose
