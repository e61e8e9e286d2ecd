#include "guard/slots.h"

#include <algorithm>
#include <functional>

namespace apiquota::guard {
namespace {

constexpr double kShrink = 0.7;
constexpr Micros kShrinkGap = std::chrono::seconds(1);
constexpr size_t kEndedLeast = 5;  // fewer tell nothing of how long calls take
constexpr Micros kOthersLeast = std::chrono::seconds(1);

}  // namespace

void Slots::Configure(size_t max, bool adaptive) {
  const bool whole = !adaptive_ || limit_ >= static_cast<double>(max_);
  adaptive_ = adaptive;
  limit_ = whole || !adaptive ? static_cast<double>(max) : std::min(limit_, static_cast<double>(max));
  max_ = max;
  if (limited()) return;
  open_.clear();
  peaks_.clear();
  others_ = 0;
}

void Slots::Take(Id ticket, SystemTime now) {
  if (!open_.try_emplace(ticket, now).second) return;
  const SystemTime at = peaks_.empty() ? now : std::max(now, peaks_.back().first);
  while (!peaks_.empty() && peaks_.back().second <= open_.size()) peaks_.pop_back();
  peaks_.emplace_back(at, open_.size());
}

void Slots::End(Id ticket, SystemTime now) {
  const auto found = open_.find(ticket);
  if (found == open_.end()) return;
  held_.Add(std::max(Micros(0), Micros(now - found->second)));
  ended_ = std::min(ended_ + 1, kEndedLeast);
  open_.erase(found);
}

size_t Slots::MostSince(SystemTime at) const {
  const auto found = std::ranges::lower_bound(peaks_, at, {}, &std::pair<SystemTime, size_t>::first);
  return std::max(open_.size(), found == peaks_.end() ? 0 : found->second);
}

// Only while they are needed: what is served beside free slots says nothing of how many more there may be.
void Slots::Served() {
  if (!adaptive_ || limit_ >= static_cast<double>(max_)) return;
  const auto whole = static_cast<size_t>(limit_);
  if (2 * open_.size() < whole || ++served_ < whole) return;
  served_ = 0;
  limit_ = std::min(limit_ + 1, static_cast<double>(max_));
}

// What was let through before it shrank last had been too much already.
void Slots::Refused(SystemTime admitted_at, SystemTime now) {
  if (!adaptive_ || !limited()) return;
  if (shrunk_at_ && (admitted_at < *shrunk_at_ || now < *shrunk_at_ + kShrinkGap)) return;
  shrunk_at_ = now;
  served_ = 0;
  limit_ = std::max(1.0, limit_ * kShrink);
}

void Slots::Others(size_t held, SystemTime now) {
  others_ = held;
  others_until_ = now + std::max(kOthersLeast, held_.At(50).value_or(Micros(0)));
}

std::optional<SystemTime> Slots::OthersUntil(SystemTime now) const {
  return others_ != 0 && others_until_ > now ? std::optional(others_until_) : std::nullopt;
}

// One at least: only own calls bring news of the others.
size_t Slots::Allowed(SystemTime now) const {
  const auto limit = static_cast<size_t>(limit_);
  const size_t others = OthersUntil(now) ? others_ : 0;
  return limit > others ? std::max<size_t>(limit - others, 1) : 1;
}

// One call after the other ends: each after the median of all, or, if it has taken longer already, after as
// long again as it has taken; and another takes its place.
std::optional<SystemTime> Slots::FreeAt(size_t ahead, SystemTime now) const {
  const std::optional<Micros> median = held_.At(50);
  if (ended_ < kEndedLeast) return std::nullopt;
  std::vector<SystemTime> ends;
  ends.reserve(open_.size());
  for (const auto& [ticket, since] : open_) {
    const SystemTime end = since + *median;
    ends.push_back(end > now ? end : now + std::max(Micros(now - since), Micros(1)));
  }
  const size_t allowed = Allowed(now);
  size_t too_many = ends.size() > allowed ? ends.size() - allowed : 0;
  if (ends.size() < allowed) ahead -= std::min(ahead, allowed - ends.size());
  std::ranges::make_heap(ends, std::greater());
  SystemTime at = now;
  for (size_t left = too_many + ahead + 1; left != 0 && !ends.empty(); --left) {
    std::ranges::pop_heap(ends, std::greater());
    at = ends.back();
    if (too_many != 0 && too_many-- != 0) {
      ends.pop_back();
      continue;
    }
    ends.back() = at + std::max(*median, Micros(1));
    std::ranges::push_heap(ends, std::greater());
  }
  return std::max(at, now + Micros(1));
}

}  // namespace apiquota::guard
