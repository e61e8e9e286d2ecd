#include "metrics/telemetry.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <type_traits>

namespace apiquota::metrics {
namespace {

constexpr char kOverflow[] = "other";

size_t ThisThreadShard(size_t shards) {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine % shards;
}

void Fill(const Counter& counter, prometheus::ClientMetric* metric) {
  metric->counter.value = static_cast<double>(counter.Value());
}

void Fill(const Histogram& histogram, prometheus::ClientMetric* metric) {
  metric->histogram = histogram.Collect();
}

template <class Metric>
Metric& Emplace(std::deque<Metric>& metrics, const FamilyOptions& options) {
  if constexpr (std::is_same_v<Metric, Histogram>) {
    return metrics.emplace_back(options.bounds);
  } else {
    return metrics.emplace_back();
  }
}

}  // namespace

Histogram::Histogram(const std::vector<double>& bounds)
    : bounds_(bounds), shards_(std::make_unique<std::array<Shard, kShards>>()) {
  assert(bounds_.size() <= kBucketsMax);
}

void Histogram::Observe(double value) {
  Shard& shard = (*shards_)[ThisThreadShard(kShards)];
  const size_t bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  shard.counts[bucket].fetch_add(1, std::memory_order_relaxed);
  shard.sum.fetch_add(value, std::memory_order_relaxed);
}

prometheus::ClientMetric::Histogram Histogram::Collect() const {
  prometheus::ClientMetric::Histogram out;
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    for (const Shard& shard : *shards_) out.sample_count += shard.counts[i].load(std::memory_order_relaxed);
    if (i < bounds_.size()) out.bucket.push_back({out.sample_count, bounds_[i]});
  }
  out.bucket.push_back({out.sample_count, std::numeric_limits<double>::infinity()});
  for (const Shard& shard : *shards_) out.sample_sum += shard.sum.load(std::memory_order_relaxed);
  return out;
}

template <class Metric>
Family<Metric>::Family(FamilyOptions options, Counter* dropped)
    : options_(std::move(options)), dropped_(dropped) {}

template <class Metric>
Metric& Family<Metric>::With(const LabelValues& values) {
  assert(values.size() == options_.labels.size());
  const std::lock_guard lock(mutex_);
  if (const auto found = children_.find(values); found != children_.end()) return *found->second;
  LabelValues labels = values;
  if (children_.size() >= options_.children_max) {
    if (dropped_ != nullptr) dropped_->Add();
    std::ranges::fill(labels, kOverflow);
    if (const auto found = children_.find(labels); found != children_.end()) return *found->second;
  }
  Metric& metric = Emplace(metrics_, options_);
  children_.emplace(std::move(labels), &metric);
  return metric;
}

template <class Metric>
prometheus::MetricFamily Family<Metric>::Collect() const {
  prometheus::MetricFamily family{options_.name, options_.help, prometheus::MetricType::Counter, {}};
  if (std::is_same_v<Metric, Histogram>) family.type = prometheus::MetricType::Histogram;
  const std::lock_guard lock(mutex_);
  for (const auto& [values, metric] : children_) {
    prometheus::ClientMetric& out = family.metric.emplace_back();
    for (size_t i = 0; i < values.size(); ++i) out.label.push_back({options_.labels[i], values[i]});
    Fill(*metric, &out);
  }
  return family;
}

template class Family<Counter>;
template class Family<Histogram>;

Registry::Registry()
    : dropped_(std::make_unique<Family<Counter>>(
          FamilyOptions{"apiquota_series_dropped_total",
                        "Series refused because a family, an api or the ledger was at its cap.",
                        {"family"},
                        1000,
                        {}},
          nullptr)) {}

Family<Counter>& Registry::AddCounters(FamilyOptions options) {
  Counter& dropped = dropped_->With({options.name});
  const std::lock_guard lock(mutex_);
  return *counters_.emplace_back(std::make_unique<Family<Counter>>(std::move(options), &dropped));
}

Family<Histogram>& Registry::AddHistograms(FamilyOptions options) {
  Counter& dropped = dropped_->With({options.name});
  const std::lock_guard lock(mutex_);
  return *histograms_.emplace_back(std::make_unique<Family<Histogram>>(std::move(options), &dropped));
}

std::vector<prometheus::MetricFamily> Registry::Collect() const {
  const std::lock_guard lock(mutex_);
  std::vector<prometheus::MetricFamily> families;
  families.push_back(dropped_->Collect());
  for (const auto& family : counters_) families.push_back(family->Collect());
  for (const auto& family : histograms_) families.push_back(family->Collect());
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  return families;
}

void Registry::CountDropped(const std::string& family, uint64_t n) { dropped_->With({family}).Add(n); }

}  // namespace apiquota::metrics
