#include "metrics/telemetry.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/log.h"

namespace apiquota::metrics {
namespace {

constexpr std::string_view kDroppedFamily = "apiquota_series_dropped_total";

size_t ThisThreadShard(size_t shards) {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine % shards;
}

// Of a configuration with that many apis: the overflow children of each, what counts its drops, its line in
// apiquota_api_info and apiquota_unread_limit_headers.
constexpr size_t kSeriesOfAnApi = 20;

std::optional<size_t> PlaceOf(std::string_view name, const std::vector<std::string>& labels) {
  const auto found = std::ranges::find(labels, name);
  if (found == labels.end()) return std::nullopt;
  return static_cast<size_t>(found - labels.begin());
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
Family<Metric>::Family(FamilyOptions options, Registry& registry)
    : options_(std::move(options)),
      registry_(registry),
      api_(PlaceOf("api", options_.labels)),
      key_(PlaceOf("key", options_.labels)),
      caller_(PlaceOf("caller", options_.labels)) {}

template <class Metric>
std::string_view Family<Metric>::ValueOf(const std::optional<size_t>& label,
                                         const LabelValues& values) const {
  return label ? std::string_view(values[*label]) : std::string_view();
}

template <class Metric>
bool Family<Metric>::Known(const KnownNames& names, const LabelValues& values) const {
  if (!api_) return true;
  const std::string_view api = values[*api_];
  return names.Api(api) && (!key_ || names.Key(api, values[*key_])) &&
         (!caller_ || names.Caller(api, values[*caller_]));
}

template <class Metric>
typename Family<Metric>::Child Family<Metric>::Make() const {
  if constexpr (std::is_same_v<Metric, Histogram>) {
    return std::make_shared<Histogram>(options_.bounds);
  } else {
    return std::make_shared<Counter>();
  }
}

template <class Metric>
size_t Family<Metric>::SeriesPerChild() const {
  constexpr size_t kCountSumAndInfinity = 3;
  return std::is_same_v<Metric, Histogram> ? options_.bounds.size() + kCountSumAndInfinity : 1;
}

template <class Metric>
typename Family<Metric>::Child Family<Metric>::With(const LabelValues& values) {
  const size_t series = api_ ? SeriesPerChild() : 0;
  if (Child child = FindOrMake(values, series)) return child;
  return Overflow(values);
}

// Null if there is no room. Names are asked for under the lock: whoever replaces them comes by afterwards.
template <class Metric>
typename Family<Metric>::Child Family<Metric>::FindOrMake(const LabelValues& values, size_t series) {
  assert(values.size() == options_.labels.size());
  const std::lock_guard lock(mutex_);
  if (const auto found = children_.find(values); found != children_.end()) return found->second.child;
  if (!Known(*registry_.names(), values)) return Make();
  if (series != 0 && !registry_.shares().Take(ValueOf(api_, values), series)) return nullptr;
  return children_.emplace(values, Entry{Make(), series}).first->second.child;
}

template <class Metric>
typename Family<Metric>::Child Family<Metric>::Overflow(const LabelValues& values) {
  registry_.CountDropped(ValueOf(api_, values), options_.name);
  if (std::is_same_v<Metric, Histogram>) return Make();
  LabelValues labels(values.size(), std::string(kOtherName));
  if (api_) labels[*api_] = values[*api_];
  return FindOrMake(labels, 0);
}

template <class Metric>
void Family<Metric>::ForgetUnknown(const KnownNames& names) {
  const std::lock_guard lock(mutex_);
  std::erase_if(children_, [&](const auto& child) {
    if (Known(names, child.first)) return false;
    registry_.shares().Return(ValueOf(api_, child.first), child.second.series);
    return true;
  });
}

template class Family<Counter>;
template class Family<Histogram>;

Registry::Registry(size_t series_max)
    : shares_(series_max),
      names_(std::make_shared<const KnownNames>()),
      dropped_(AddCounters({std::string(kDroppedFamily),
                            "Times something of the api was counted under \"other\" or left out, because the "
                            "api had used up its share of the series or one of its own caps.",
                            {"api", "family"},
                            {}})) {}

Family<Counter>& Registry::AddCounters(FamilyOptions options) {
  const std::lock_guard lock(mutex_);
  return *counters_.emplace_back(std::make_unique<Family<Counter>>(std::move(options), *this));
}

Family<Histogram>& Registry::AddHistograms(FamilyOptions options) {
  const std::lock_guard lock(mutex_);
  return *histograms_.emplace_back(std::make_unique<Family<Histogram>>(std::move(options), *this));
}

void Registry::Configure(std::shared_ptr<const KnownNames> names, size_t set_aside) {
  {
    const std::lock_guard lock(mutex_);
    names_ = names;
  }
  for (const auto& family : counters_) family->ForgetUnknown(*names);
  for (const auto& family : histograms_) family->ForgetUnknown(*names);
  shares_.SetHolders(names->ConfiguredApis(), names->shares_for_implied(),
                     set_aside + kSeriesOfAnApi * names->apis());
}

std::shared_ptr<const KnownNames> Registry::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

void Registry::CountDropped(std::string_view api, std::string_view family, uint64_t n) {
  dropped_.FindOrMake({std::string(api), std::string(family)}, 0)->Add(n);
  LogFolded(LogLevel::kWarn, "series_dropped", api,
            {{"api", std::string(api)},
             {"family", std::string(family)},
             {"effect", "counted under other or left out; metrics.series_max is for all apis together"}});
}

}  // namespace apiquota::metrics
