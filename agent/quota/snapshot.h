// What the ledger knows at one moment, as values: the only thing renderings (metrics, JSON, page) ever see.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::quota {

// The label set Q: identifies one quota. Labels come from configuration, exporter files or capped sets.
struct QuotaId {
  std::string api;
  std::string key;
  std::string resource;
  std::string quota;
  std::string unit;

  friend auto operator<=>(const QuotaId&, const QuotaId&) = default;
};

// Peak use per closed window, windows under 30 minutes only (docs/quota-semantics.md rule 11). counts[i] is
// the number of windows whose peak was ≤ kPeakBounds[i]; the last entry counts those above all bounds. Not
// cumulative.
inline constexpr std::array<double, 5> kPeakBounds = {0.5, 0.8, 0.9, 0.95, 0.99};
struct PeakHistogram {
  std::array<uint64_t, kPeakBounds.size() + 1> counts{};
  double sum = 0;

  friend bool operator==(const PeakHistogram&, const PeakHistogram&) = default;
};

// How many series one quota is on /metrics at most, and its peaks beside that: buckets, sum and count.
inline constexpr size_t kSeriesPerQuota = 12;
inline constexpr size_t kSeriesPerPeaks = kPeakBounds.size() + 3;

struct QuotaView {
  QuotaId id;
  std::string exporter;
  provider::QuotaKind kind = provider::QuotaKind::kFixed;
  bool declared = false;  // the operator's word, counted by this agent; the API says nothing of it

  std::optional<double> limit;
  std::optional<double> remaining;   // absent once the reading has expired
  std::optional<double> used;        // likewise
  std::optional<double> used_ratio;  // 1 − remaining/limit, else used/limit; may exceed 1
  std::optional<SystemTime> reset_at;
  std::optional<double> window_seconds;
  std::optional<std::string> policy;
  provider::SignalFields derived;

  bool valid = false;          // the reading still holds
  bool limit_assumed = false;  // expired, but the limit is likely the same still: JSON and page only
  SystemTime observed_at;
  std::optional<SystemTime> exhaustion_at;  // forecast; absent unless it is sound (forecast.h)

  double consumed_total = 0;  // monotone since the process started
  uint64_t windows_exhausted_total = 0;
  uint64_t limit_changes_total = 0;
  std::optional<PeakHistogram> window_peaks;  // present for windows < 30 min
};

struct Snapshot {
  SystemTime at;
  std::vector<QuotaView> quotas;  // sorted by id
  uint64_t dropped_total = 0;     // quota slots refused by the caps
};

}  // namespace apiquota::quota
