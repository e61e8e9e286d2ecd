// Declared limits: what the operator knows of an API that does not say it, held against the requests that
// this agent sent (docs/quota-semantics.md rule 12). They appear in the snapshot as quotas of kind sliding,
// marked as declared, beside what APIs said; of a quota that the API itself names for the same key, its word
// is taken as long as it holds, and the declared one left out. What is left is shown once a whole window has
// been counted, before it is unknown: the agent can't know what was sent before it began. Counts survive a
// restart with the readings.
//
// Thread-safe; counting costs a small lock of the key's own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fair_shares.h"
#include "base/known_names.h"
#include "quota/options.h"
#include "quota/peaks.h"
#include "quota/sliding_count.h"
#include "quota/snapshot.h"

namespace apiquota::quota {

struct DeclaredApi {
  std::string api;
  std::string exporter;
  std::vector<std::string> keys;  // known from the configuration: shown from the start
  std::vector<DeclaredLimit> limits;
};

// One count as it is saved.
struct SavedCount {
  std::string api;
  std::string key;
  std::string quota;
  Micros window{};
  SystemTime since;                                 // counted from here on
  std::vector<std::pair<int64_t, uint64_t>> parts;  // sliding_count.h

  friend bool operator==(const SavedCount&, const SavedCount&) = default;
};

// Counts one key's requests against its api's limits. Stays good to count into when the configuration
// changes.
class RequestCounter {
 public:
  // One more was sent.
  void Count(SystemTime now);

 private:
  friend class DeclaredLimits;
  struct Entry {
    DeclaredLimit declared;
    SlidingCount count;
    SystemTime since;
    Peaks peaks;
    uint64_t total = 0;  // since the process started
  };

  std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

class DeclaredLimits {
 public:
  // `keys_max`: keys met at run time, per api. The series they are on /metrics are taken of `series`; null:
  // there is room for all.
  explicit DeclaredLimits(size_t keys_max, FairShares* series = nullptr)
      : keys_max_(keys_max), series_(series) {}

  // Replaces what was declared. Counts of limits that stay (same quota and window) go on; those of keys that
  // are no longer configured are forgotten.
  void Configure(std::vector<DeclaredApi> apis, SystemTime now);

  // Null: the api declares no limits, or too many keys were met, or there is no room for their series.
  std::shared_ptr<RequestCounter> CounterFor(std::string_view api, std::string_view key, SystemTime now);

  // Adds the declared quotas to what the ledger says.
  void AddTo(Snapshot* snapshot);

  std::vector<SavedCount> Save(SystemTime now);
  // Of limits that are still declared; keys that are not known yet are made.
  void Restore(const std::vector<SavedCount>& counts, SystemTime now);

 private:
  using Id = std::pair<std::string, std::string>;  // api, key
  struct Api {
    DeclaredApi declared;
    std::map<std::string, SystemTime> since;  // by quota: when counting began
  };

  static bool IsConfigured(const Api& api, const std::string& key);
  static size_t SeriesOf(const Api& api);
  void ReturnSeries(const std::string& api, size_t series);
  std::shared_ptr<RequestCounter> Make(const Api& api, const std::string& key);
  void Retain(const Api& api, RequestCounter* counter) const;
  void Forget(SystemTime now);

  const size_t keys_max_;
  FairShares* const series_;
  std::mutex mutex_;
  std::map<std::string, Api, std::less<>> apis_;            // guarded by mutex_
  std::map<Id, std::shared_ptr<RequestCounter>> counters_;  // guarded by mutex_; a counter's lock comes after
};

}  // namespace apiquota::quota
