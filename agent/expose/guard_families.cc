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

MetricFamily Gauge(std::string name, std::string help, const std::vector<std::string>& labels,
                   const Values& values) {
  MetricFamily family{std::move(name), std::move(help), MetricType::Gauge, {}};
  for (const auto& [label_values, value] : values) {
    ClientMetric& metric = family.metric.emplace_back();
    for (size_t i = 0; i < labels.size(); ++i) metric.label.push_back({labels[i], label_values[i]});
    metric.gauge.value = value;
  }
  return family;
}

void AddQueues(const GuardFacts& facts, SystemTime now, std::vector<MetricFamily>* families) {
  Values depth, capacity, oldest;
  for (const GuardedFacts& api : facts.apis) {
    if (!api.queue || api.options.ModeOf(api.options.queue) != guard::Mode::kOn) continue;
    depth[{api.api}] = static_cast<double>(api.queue->depth);
    capacity[{api.api}] = static_cast<double>(api.options.queue.size);
    if (const auto& since = api.queue->oldest) oldest[{api.api}] = std::max(0.0, ToSeconds(now - *since));
  }
  families->push_back(Gauge("apiquota_queue_depth", "Requests that wait for their turn.", {"api"}, depth));
  families->push_back(Gauge("apiquota_queue_capacity",
                            "How many requests may wait, as configured; beyond it they are refused.", {"api"},
                            capacity));
  families->push_back(Gauge("apiquota_queue_oldest_seconds",
                            "How long the request has waited that came first. Absent while nobody waits.",
                            {"api"}, oldest));
}

void Keep(double value, std::vector<std::string> labels, Values* values) {
  const auto [found, is_new] = values->try_emplace(std::move(labels), value);
  if (!is_new) found->second = std::max(found->second, value);
}

}  // namespace

std::vector<MetricFamily> GuardFamilies(const GuardFacts& facts, SystemTime now) {
  std::vector<MetricFamily> families;
  AddQueues(facts, now, &families);
  Values cooldowns, reserved, in_flight;
  for (const guard::AccountView& account : facts.accounts) {
    in_flight[{account.api, account.key}] = static_cast<double>(account.view.in_flight);
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
  return families;
}

}  // namespace apiquota::expose
