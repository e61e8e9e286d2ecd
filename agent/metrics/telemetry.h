// The agent's own counters and histograms (what it did), beside the ledger's readings (what
// providers said).
//
// A family has a name, help, label names and a cap on its children. With(labels) finds or makes a
// child and costs a lock and a lookup: call it once and keep the reference, which stays valid for
// the registry's life. Beyond the cap, With() returns the family's overflow child, all of whose
// labels read "other", and each such call is counted in apiquota_series_dropped_total{family}.
// Everything here is thread-safe; Add and Observe are lock-free.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota::metrics {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Upper bounds are shared by the family's children; observations are sharded by thread, so that two
// event loops never fight for a cache line.
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
  std::vector<std::string> labels;  // names, in the order With() takes values
  size_t children_max = 2000;
  std::vector<double> bounds;  // histograms only
};

template <class Metric>
class Family {
 public:
  using LabelValues = std::vector<std::string>;

  Family(FamilyOptions options, Counter* dropped);
  Metric& With(const LabelValues& values);
  prometheus::MetricFamily Collect() const;

 private:
  FamilyOptions options_;
  Counter* dropped_;
  mutable std::mutex mutex_;
  std::deque<Metric> metrics_;               // addresses never move
  std::map<LabelValues, Metric*> children_;  // guarded by mutex_
};

extern template class Family<Counter>;
extern template class Family<Histogram>;

class Registry {
 public:
  Registry();
  Family<Counter>& AddCounters(FamilyOptions options);
  Family<Histogram>& AddHistograms(FamilyOptions options);

  // A consistent-enough copy for one scrape, sorted by family name.
  std::vector<prometheus::MetricFamily> Collect() const;

  // For families kept elsewhere (the ledger's cap).
  void CountDropped(const std::string& family, uint64_t n);

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<Family<Counter>> dropped_;
  std::deque<std::unique_ptr<Family<Counter>>> counters_;
  std::deque<std::unique_ptr<Family<Histogram>>> histograms_;
};

}  // namespace apiquota::metrics
