// The peak use of each window, kept when it closes, so that what happens between two scrapes stays
// visible (docs/quota-semantics.md rule 11). A fixed window closes at its reset; the others are cut into
// spans of their window's length, each beginning with the first reading after the last one closed. Pure; no
// thread-safety of its own.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "provider/amounts.h"
#include "quota/snapshot.h"

namespace apiquota::quota {

inline constexpr Micros kShortWindow = std::chrono::minutes(30);

struct Peaks {
  bool open = false;
  std::optional<SystemTime> closes_at;
  std::optional<Micros> length;  // of the open window
  std::optional<double> peak;    // used ratio; may exceed 1
  bool exhausted = false;
  PeakHistogram histogram;  // windows under 30 minutes only
  uint64_t windows_exhausted = 0;
};

struct WindowSpan {
  std::optional<SystemTime> closes_at;  // absent: not known, stays open until the next one begins
  std::optional<Micros> length;         // absent: not known, leaves no peak
};

void OpenWindow(const WindowSpan& span, Peaks* peaks);

// Use as one reading said it, in any order. `remaining` decides exhaustion where it is known.
void FoldUse(const provider::Amounts& amounts, Peaks* peaks);

// Counts the open window and leaves none open. Does nothing if none is.
void CloseWindow(Peaks* peaks);
void CloseIfOver(SystemTime now, Peaks* peaks);

}  // namespace apiquota::quota
