#include "guard/send_log.h"

#include <algorithm>
#include <cmath>

namespace apiquota::guard {
namespace {

constexpr size_t kExactMax = 2048;
constexpr int64_t kParts = 120;  // of a window, beyond that
constexpr int64_t kSavedParts = 60;
constexpr Micros kSoon = std::chrono::milliseconds(20);  // of a connection that was there already
constexpr double kSure = 1e-6;                           // sums of many small costs are off by less

int64_t PartOf(SystemTime at, Micros part) {
  return at.time_since_epoch().count() / std::max<int64_t>(1, part.count());
}

}  // namespace

size_t SendLog::At(SystemTime at) const {
  if (at <= forgotten_) return sends_.size();
  const auto found = std::ranges::lower_bound(sends_, at, {}, &Send::at);
  return static_cast<size_t>(found - sends_.begin());
}

size_t SendLog::FirstIn(Micros window, SystemTime now) const {
  const auto found = std::ranges::upper_bound(sends_, now - window, {}, &Send::at);
  return static_cast<size_t>(found - sends_.begin());
}

size_t SendLog::Reaching(double upto) const {
  const auto found = std::ranges::lower_bound(sends_, upto - kSure, {}, &Send::upto);
  return static_cast<size_t>(found - sends_.begin());
}

SystemTime SendLog::Add(double cost, SystemTime at) {
  at = std::max(at, forgotten_ + Micros(1));
  if (!sends_.empty() && at <= sends_.back().at) {
    // Of requests that were sent before anybody knew of this quota.
    const auto later = std::ranges::lower_bound(sends_, at, {}, &Send::at);
    if (later->at != at) sends_.insert(later, {at, UptoBefore(static_cast<size_t>(later - sends_.begin()))});
    Change(at, cost);
    return at;
  }
  if (sends_.size() >= 2 * kExactMax) {
    // Nobody has asked, or knows the window: so many are told apart as there is room for.
    const Micros kept = sends_.back().at - sends_.front().at;
    Thin(kept / static_cast<int64_t>(kExactMax) + Micros(1));
  }
  sends_.push_back({at, total() + cost});
  return at;
}

void SendLog::Change(SystemTime at, double by) {
  for (size_t index = At(at); index < sends_.size(); ++index) sends_[index].upto += by;
}

SystemTime SendLog::Move(SystemTime at, double cost, SystemTime now) {
  if (at + kSoon >= now) return at;
  Change(at, -cost);
  return Add(cost, now);
}

void SendLog::ForgetUntil(SystemTime at) {
  while (!sends_.empty() && sends_.front().at <= at) {
    before_ = sends_.front().upto;
    forgotten_ = sends_.front().at;
    sends_.pop_front();
  }
}

void SendLog::Forget(Micros kept, Micros window, SystemTime now) {
  ForgetUntil(now - kept);
  if (sends_.size() > kExactMax) Thin(window / kParts);
}

// Those of one part of time become one, as late as the last of them.
void SendLog::Thin(Micros part) {
  std::deque<Send> thinned;
  for (const Send& send : sends_) {
    if (!thinned.empty() && PartOf(thinned.back().at, part) == PartOf(send.at, part)) {
      thinned.back() = send;
    } else {
      thinned.push_back(send);
    }
  }
  sends_ = std::move(thinned);
}

double SendLog::Total(Micros window, SystemTime now) const { return total() - Freed(window, now); }

SystemTime SendLog::EarliestFor(double cost, double ahead, double limit, Micros window,
                                SystemTime now) const {
  const double need = std::min(cost, limit) + ahead;
  const double freed = Freed(window, now);
  const double missing = need - (limit - (total() - freed));
  if (missing <= kSure) return now;
  const size_t freeing = Reaching(freed + missing);
  if (freeing < sends_.size()) return sends_[freeing].at + window;
  // More than one window's worth is before it.
  const SystemTime last = total() - freed > kSure ? sends_.back().at + window : now;
  const double windows = limit > 0 ? std::ceil((need - limit) / limit) : 1;
  return last + window * static_cast<int64_t>(std::clamp(windows, 0.0, 1e6));
}

SystemTime SendLog::FreeAt(double cost, Micros window, SystemTime now) const {
  if (sends_.empty()) return {};
  return sends_[std::min(Reaching(Freed(window, now) + cost), sends_.size() - 1)].at + window;
}

std::vector<std::pair<SystemTime, double>> SendLog::Parts(Micros window, SystemTime now) const {
  std::vector<std::pair<SystemTime, double>> parts;
  for (size_t index = FirstIn(window, now); index < sends_.size(); ++index) {
    const SystemTime at = sends_[index].at;
    if (!parts.empty() &&
        PartOf(parts.back().first, window / kSavedParts) == PartOf(at, window / kSavedParts)) {
      parts.back() = {at, parts.back().second + CostOf(index)};
    } else if (CostOf(index) > kSure) {
      parts.emplace_back(at, CostOf(index));
    }
  }
  return parts;
}

// Before what has been sent since.
void SendLog::TakeUp(const std::vector<std::pair<SystemTime, double>>& parts) {
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!sends_.empty() && part->first >= sends_.front().at) continue;
    sends_.push_front({part->first, before_});
    before_ -= part->second;
  }
}

}  // namespace apiquota::guard
