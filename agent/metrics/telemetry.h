// The agent's own counters and histograms (what it did), beside the ledger's readings (what providers said).
//
// A family has a name, help and label names. With(labels) finds or makes a child and costs locks and a
// lookup: call it once and keep the child, which lives as long as somebody holds it. How many series there
// may be is shared fairly among the apis (base/fair_shares.h; a histogram's child is as many series as it has
// lines on the page): beyond its share a new child of an api is that api's overflow child, all of whose other
// labels read "other", and each such call is counted in apiquota_series_dropped_total{api,family} and told in
// one folded line. A histogram without room is counted into and shown nowhere. Of names that the
// configuration no longer knows nothing is shown, nor kept longer than its holders live. Everything here is
// thread-safe; Add and Observe are lock-free.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fair_shares.h"
#include "base/known_names.h"
#include "metrics/options.h"

namespace apiquota::metrics {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Observations are sharded by thread, so that two event loops never fight for a cache line.
class Histogram {
 public:
  explicit Histogram(const std::vector<double>& bounds);
  void Observe(double value);
  prometheus::ClientMetric::Histogram Collect() const;

 private:
  static constexpr size_t kShards = 8;
  static constexpr size_t kBucketsMax = 24;
  struct alignas(64) Shard {
    std::array<std::atomic<uint64_t>, kBucketsMax + 1> counts{};
    std::atomic<double> sum{0};
  };
  std::vector<double> bounds_;
  std::unique_ptr<std::array<Shard, kShards>> shards_;
};

struct FamilyOptions {
  std::string name;
  std::string help;
  // Names, in the order With() takes values. Those called api, key and caller are held against KnownNames.
  std::vector<std::string> labels;
  std::vector<double> bounds;  // histograms only
};

class Registry;

template <class Metric>
class Family {
 public:
  using LabelValues = std::vector<std::string>;
  using Child = std::shared_ptr<Metric>;

  Family(FamilyOptions options, Registry& registry);
  Child With(const LabelValues& values);
  // The overflow child of what has these labels, counted as a refusal: for caps that are kept elsewhere.
  Child Overflow(const LabelValues& values);

  const FamilyOptions& options() const { return options_; }

  // Calls visit(values, child) in the order of the values, under the family's lock: a consistent-enough
  // picture for one scrape.
  template <class Visit>
  void ForEach(const Visit& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [values, entry] : children_) visit(values, std::as_const(*entry.child));
  }

 private:
  friend class Registry;

  struct Entry {
    Child child;
    size_t series = 0;  // taken of the api's share
  };

  Child Make() const;
  Child FindOrMake(const LabelValues& values, size_t series);
  size_t SeriesPerChild() const;
  std::string_view ValueOf(const std::optional<size_t>& label, const LabelValues& values) const;
  bool Known(const KnownNames& names, const LabelValues& values) const;
  void ForgetUnknown(const KnownNames& names);

  const FamilyOptions options_;
  Registry& registry_;
  const std::optional<size_t> api_, key_, caller_;  // which labels they are
  mutable std::mutex mutex_;
  std::map<LabelValues, Entry> children_;  // guarded by mutex_
};

extern template class Family<Counter>;
extern template class Family<Histogram>;

// A child that is made when it is first wanted, and then found without a lock. `make` is called once. For
// holders that outlive every use.
template <class Metric>
class LazyChild {
 public:
  template <class Make>
  Metric& Get(const Make& make) {
    Metric* known = found_.load(std::memory_order_acquire);
    return known != nullptr ? *known : First(make);
  }

 private:
  // Apart, so that finding it stays a handful of instructions.
  template <class Make>
  [[gnu::noinline]] Metric& First(const Make& make) {
    std::call_once(once_, [&] {
      child_ = make();
      found_.store(child_.get(), std::memory_order_release);
    });
    return *child_;
  }

  std::atomic<Metric*> found_{nullptr};
  std::once_flag once_;
  std::shared_ptr<Metric> child_;
};

class Registry {
 public:
  explicit Registry(size_t series_max = MetricsOptions{}.series_max);
  Family<Counter>& AddCounters(FamilyOptions options);
  Family<Histogram>& AddHistograms(FamilyOptions options);

  // From now on only these names are shown and kept; children made before under others are forgotten.
  // `set_aside` series of the page are made elsewhere.
  void Configure(std::shared_ptr<const KnownNames> names, size_t set_aside);
  std::shared_ptr<const KnownNames> names() const;

  // All series of the page come out of it, the ledger's too.
  FairShares& shares() { return shares_; }

  // What was left out, counted and told; also for the ledger's caps.
  void CountDropped(std::string_view api, std::string_view family, uint64_t n = 1);

  // Calls visit(family) for every family, in the order in which they were added. Not while one is being
  // added.
  template <class Visit>
  void ForEachFamily(const Visit& visit) const {
    for (const auto& family : counters_) visit(std::as_const(*family));
    for (const auto& family : histograms_) visit(std::as_const(*family));
  }

 private:
  FairShares shares_;
  mutable std::mutex mutex_;
  std::shared_ptr<const KnownNames> names_;  // guarded by mutex_
  std::deque<std::unique_ptr<Family<Counter>>> counters_;
  std::deque<std::unique_ptr<Family<Histogram>>> histograms_;
  Family<Counter>& dropped_;
};

}  // namespace apiquota::metrics
