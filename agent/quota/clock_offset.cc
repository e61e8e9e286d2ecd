#include "quota/clock_offset.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

constexpr Micros kDateUnit = std::chrono::seconds(1);  // Date is cut to whole seconds

}  // namespace

std::optional<ClockOffset> OffsetOf(const Said& said) {
  if (!said.date) return std::nullopt;
  const Micros least = *said.date - said.received_at;
  return ClockOffset{least, *said.date + kDateUnit - said.sent_at - least};
}

void ClockOffsets::Note(const Said& said) {
  if (const auto sample = OffsetOf(said)) samples_[count_++ % kKept] = *sample;
}

std::optional<ClockOffset> ClockOffsets::Agreed() {
  const size_t kept = std::min(count_, kKept);
  std::optional<ClockOffset> best;
  size_t best_votes = 1;
  // Each sample in turn, the newest first, with those whose bounds meet its own.
  for (size_t back = 1; back <= kept; ++back) {
    const ClockOffset& sample = samples_[(count_ - back) % kKept];
    Micros least = sample.least, most = sample.least + sample.uncertainty;
    size_t votes = 0;
    for (size_t i = 0; i < kept; ++i) {
      const ClockOffset& other = samples_[i];
      const Micros low = std::max(least, other.least);
      const Micros high = std::min(most, other.least + other.uncertainty);
      if (low > high + kSkew) continue;
      ++votes;
      if (low <= high) least = low, most = high;
    }
    if (votes <= best_votes || votes * 2 <= kept) continue;
    best_votes = votes;
    best = ClockOffset{least, most - least};
    if (votes == kept) break;  // as a rule the newest agrees with all
  }
  if (best) agreed_ = best;
  return agreed_;
}

Micros Correction(const ClockOffset& agreed) {
  const Micros most = agreed.least + agreed.uncertainty;
  if (agreed.least > kSkew) return agreed.least;
  return most < -kSkew ? std::max(agreed.least, most - kDateUnit) : Micros(0);
}

}  // namespace apiquota::quota
