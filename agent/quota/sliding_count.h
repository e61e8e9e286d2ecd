// How many requests were sent in the window that ends now, in constant memory: the window is cut into 60
// sub-windows, and a request leaves the count with the whole of its sub-window. So each counts for the
// window's length at least and a sixtieth of it longer at most: the count may be slightly too high, never too
// low. A clock set back makes nothing younger or older: what was counted keeps its age.
//
// Pure; no thread-safety of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace apiquota::quota {

class SlidingCount {
 public:
  static constexpr int64_t kParts = 60;

  explicit SlidingCount(Micros window);

  void Add(SystemTime now, uint64_t n = 1);
  uint64_t Count(SystemTime now);
  // When the oldest of those counted leave; nothing if there are none.
  std::optional<SystemTime> OldestLeaves(SystemTime now);

  // What is counted, oldest first: (number of the sub-window since the epoch, requests). For a restart.
  std::vector<std::pair<int64_t, uint64_t>> Parts() const;
  // Takes in what Parts gave, for the same window; adds to what is there already.
  void Restore(const std::vector<std::pair<int64_t, uint64_t>>& parts, SystemTime now);

 private:
  void Advance(SystemTime now);
  uint64_t& At(int64_t part) { return counts_[static_cast<size_t>(part % kRing)]; }
  uint64_t At(int64_t part) const { return counts_[static_cast<size_t>(part % kRing)]; }

  static constexpr int64_t kRing = kParts + 1;  // the current sub-window is only partly over

  Micros part_;       // length of a sub-window
  int64_t head_ = 0;  // number of the current one
  uint64_t sum_ = 0;
  std::array<uint64_t, kRing> counts_{};
};

}  // namespace apiquota::quota
