#include "quota/sliding_count.h"

#include <algorithm>
#include <utility>

namespace apiquota::quota {
namespace {

// The last sub-window of the year 9999, whatever its length: keeps arithmetic on what a file says in bounds.
constexpr int64_t kPartMax = 253'402'300'799'000'000;

}  // namespace

SlidingCount::SlidingCount(Micros window)
    : part_(std::max<int64_t>((window.count() + kParts - 1) / kParts, 1)) {}

void SlidingCount::Advance(SystemTime now) {
  const int64_t current = std::max<int64_t>(now.time_since_epoch() / part_, 0);
  if (current < head_) {
    // The clock was set back: the same counts under earlier numbers, as far as there are any.
    std::array<uint64_t, kRing> moved{};
    uint64_t sum = 0;
    for (int64_t age = 0; age < kRing && age <= current && age <= head_; ++age) {
      moved[static_cast<size_t>((current - age) % kRing)] = At(head_ - age);
      sum += At(head_ - age);
    }
    counts_ = moved;
    sum_ = sum;
    head_ = current;
    return;
  }
  const int64_t steps = std::min(current - head_, kRing);
  for (int64_t step = 1; step <= steps; ++step) sum_ -= std::exchange(At(head_ + step), 0);
  head_ = current;
}

void SlidingCount::Add(SystemTime now, uint64_t n) {
  Advance(now);
  At(head_) += n;
  sum_ += n;
}

uint64_t SlidingCount::Count(SystemTime now) {
  Advance(now);
  return sum_;
}

std::optional<SystemTime> SlidingCount::OldestLeaves(SystemTime now) {
  Advance(now);
  if (sum_ == 0) return std::nullopt;
  int64_t oldest = std::max<int64_t>(head_ - kParts, 0);
  while (At(oldest) == 0) ++oldest;
  return SystemTime(part_ * (oldest + kRing));
}

std::vector<std::pair<int64_t, uint64_t>> SlidingCount::Parts() const {
  std::vector<std::pair<int64_t, uint64_t>> parts;
  for (int64_t part = std::max<int64_t>(head_ - kParts, 0); part <= head_; ++part) {
    if (At(part) > 0) parts.emplace_back(part, At(part));
  }
  return parts;
}

void SlidingCount::Restore(const std::vector<std::pair<int64_t, uint64_t>>& parts, SystemTime now) {
  Advance(now);
  for (const auto& [number, count] : parts) {
    const int64_t part = std::min(std::clamp<int64_t>(number, 0, kPartMax), head_);
    if (part < head_ - kParts) continue;
    At(part) += count;
    sum_ += count;
  }
}

}  // namespace apiquota::quota
