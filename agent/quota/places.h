// Where the ledger keeps its quotas, and how many of them there may be: per key and resource, in all, and as
// series on /metrics. Slots and shards have no thread-safety of their own; Places is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/fair_shares.h"
#include "base/known_names.h"
#include "quota/options.h"
#include "quota/quota_state.h"

namespace apiquota::quota {

// Two names in one order, whether owned or borrowed: a lookup allocates nothing.
using NamePair = std::pair<std::string, std::string>;
using NamePairView = std::pair<std::string_view, std::string_view>;
struct NameOrder {
  using is_transparent = void;
  static NamePairView View(const NamePair& names) { return {names.first, names.second}; }
  static NamePairView View(const NamePairView& names) { return names; }
  bool operator()(const auto& a, const auto& b) const { return View(a) < View(b); }
};

struct Slot {
  std::string unit;
  std::string exporter;
  std::optional<uint16_t> family;  // of the rule that speaks of it; not known after a restart
  QuotaState state;
  enum class Peaks : uint8_t { kNone, kShown, kNoRoom } peaks = Peaks::kNone;  // of a short window

  size_t series() const { return kSeriesPerQuota + (peaks == Peaks::kShown ? kSeriesPerPeaks : 0); }
};

// What is known of one key of one api. `slots` is by (resource, quota).
struct Shard {
  std::mutex mutex;
  std::map<NamePair, Slot, NameOrder> slots;  // guarded by mutex, or by the ledger's held exclusively
  ClockOffsets offsets;                       // likewise
};

// What the quota of a reading is called, among those of the response it stands in. Two rules of an exporter
// may speak of one name; where their numbers differ the second has a number behind it. Which rule means which
// quota does not depend on what else a response says: who spoke of it first keeps the name.
std::string_view NameFor(const Shard& shard, const provider::Reading& reading,
                         std::span<const provider::Reading> response);

class Places {
 public:
  // `series`: what the quotas' series are taken of; null: there is room for all.
  Places(const LedgerOptions& options, FairShares* series) : options_(options), series_(series) {}

  // Half of the ledger's slots is kept for these apis, in even shares.
  void SetHolders(const KnownNames& names);

  // Room for one more quota in a shard of `api`, its mutex held; takes the place if there is.
  bool Take(std::string_view api, const Shard& shard, std::string_view resource);
  // Room for the peaks of a window that is now known to be short; asked for once. False: there is none.
  bool TakePeaks(std::string_view api, Slot* slot);
  // The slot is about to go.
  void GiveBack(std::string_view api, const Slot& slot);

 private:
  const LedgerOptions options_;
  FairShares slots_{options_.quotas_max};
  FairShares* const series_;
};

}  // namespace apiquota::quota
