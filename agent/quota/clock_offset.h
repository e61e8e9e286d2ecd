// How far an upstream's clock is from ours, as its Dates tell (docs/quota-semantics.md rule 8). One response
// says little: its Date has whole seconds and lies somewhere between sending and receipt, and one of many
// machines behind a name may be wrong by hours. So an offset counts only when several responses agree on it.
// Pure; no thread-safety of its own.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "quota/said.h"

namespace apiquota::quota {

// Theirs minus ours, from `least` to `least + uncertainty`.
struct ClockOffset {
  Micros least{};
  Micros uncertainty{};

  friend bool operator==(const ClockOffset&, const ClockOffset&) = default;
};

// What one response tells; nothing if it has no Date.
std::optional<ClockOffset> OffsetOf(const Said& said);

class ClockOffsets {
 public:
  // Takes in one response; nothing if it has no Date.
  void Note(const Said& said);

  // What most of the last five responses agree on, two at least; else the last that was agreed on.
  std::optional<ClockOffset> Agreed();

 private:
  static constexpr size_t kKept = 5;

  std::array<ClockOffset, kKept> samples_{};
  std::optional<ClockOffset> agreed_;
  size_t count_ = 0;  // so far, of which the last kKept are there
};

// By how much an absolute reset is to be put back: what is sure of the offset, unless it may be within kSkew.
Micros Correction(const ClockOffset& agreed);

}  // namespace apiquota::quota
