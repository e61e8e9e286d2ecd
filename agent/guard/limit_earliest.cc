// When how much may be taken of a quota.
#include <algorithm>
#include <cmath>

#include "guard/limit.h"
#include "guard/limit_state.h"

namespace apiquota::guard {
namespace {

using provider::QuotaKind;

constexpr Micros kLookAgain = std::chrono::seconds(1);  // unless something happens before

Micros Seconds(double seconds) { return SecondsToMicros(seconds); }

}  // namespace

SystemTime Limit::State::Leaving(SystemTime at, SystemTime now) const {
  if (leave_gap <= Micros(0) || now >= leave_until) return at;
  return std::max(at, std::min(leave_next, leave_until));
}

// Of `spread` of a window no more than its time has brought may be used.
SystemTime Limit::State::SpreadEarliest(double need, double level, SystemTime now) const {
  if (pace.spread <= 0 || !end || !window || !limit) return now;
  const double whole = limit_left();
  const double used = whole - level;
  const double late_share = (used + need) / std::max(whole, kTouchCost) - (1 - pace.spread);
  if (late_share <= 0) return now;
  const SystemTime begin = said_end - *window;
  return std::max(now, begin + Seconds(ToSeconds(*window) * std::min(1.0, late_share / pace.spread)));
}

// What costs next to nothing is stopped when nothing is left, whatever of its kind is under way.
bool Limit::State::Enough(double cost, double need, double level) const {
  return cost <= kTouchCost ? level + outlays.hidden() > kSure : level + kSure >= need;
}

SystemTime Limit::State::WindowedEarliest(double cost, double ahead, SystemTime now) {
  Roll(now);
  const auto level = LevelAt(now);
  if (!level) return now;
  const double most = limit ? limit_left() : std::max(*level + outlays.hidden(), cost);
  if (most <= 0) return SystemTime::max();
  const double need = std::min(cost, most) + ahead;
  if (Enough(cost, need, *level)) return Leaving(SpreadEarliest(need, *level, now), now);
  const Micros length = window.value_or(kUnknownWindow);
  const SystemTime next = end ? *end : UnsaidEnd();
  const double missing = need - std::max(0.0, *level);
  const auto further = static_cast<int64_t>(std::clamp(std::ceil(missing / most) - 1, 0.0, 1e6));
  return next + length * further;
}

SystemTime Limit::State::BucketEarliest(double cost, double ahead, SystemTime now) {
  Roll(now);
  const auto level = LevelAt(now);
  if (!level) return now;
  const double most = limit ? limit_left() : cost;
  if (most <= 0) return SystemTime::max();
  const double need = std::min(cost, most) + ahead;
  if (Enough(cost, need, *level)) return now;
  const double back = rate();
  if (back <= 0) {
    // Nobody knows how fast it fills: it is full when that was said, if nothing was taken since.
    SystemTime full = end.value_or(levels.back().received_at + kUnknownWindow);
    if (outlays.hidden_settled() > kSure) full = std::max(full, outlays.last_settled() + kUnknownWindow);
    if (outlays.in_flight()) full = std::max(full, now + kLookAgain);
    return full;
  }
  return now + std::max(Micros(1), Seconds((std::max(need, 2 * kSure) - *level) / back));
}

// Own sends, and what was said as far as it goes beyond them: what others took comes back at the said end.
SystemTime Limit::State::SlidingEarliest(double cost, double ahead, SystemTime now) {
  SystemTime at = now;
  if (log_holds() && limit_left() <= 0) return SystemTime::max();
  const auto span = log_window();
  if (log_holds() && span) at = log.EarliestFor(cost, ahead, limit_left(), *span, now);
  if (kind != QuotaKind::kSliding && !refills) return at;
  if (levels.empty()) return at;
  const Level& newest = levels.back();
  const SystemTime over = end.value_or(newest.received_at + window.value_or(kUnknownWindow));
  if (now >= over) return at;
  const double freed = FreedBy(now);
  double level = newest.at_receipt + freed - newest.freed;
  for (const Level& each : levels) level = std::min(level, each.at_receipt + freed - each.freed);
  level -= outlays.hidden() + headroom();
  if (Enough(cost, std::min(cost, limit ? limit_left() : cost), level)) return at;
  // Whichever comes first: own sends that leave the window, or the end of all that was said.
  if (!span || log.Total(*span, now) <= kSure) return std::max(at, over);
  return std::max(at, std::min(over, log.FreeAt(cost - level, *span, now)));
}

SystemTime Limit::EarliestFor(double cost, double ahead, SystemTime now) const {
  State& state = *state_;
  switch (state.kind) {
    case QuotaKind::kFixed: {
      const SystemTime windowed = state.refills ? now : state.WindowedEarliest(cost, ahead, now);
      return state.log_holds() ? std::max(windowed, state.SlidingEarliest(cost, ahead, now)) : windowed;
    }
    case QuotaKind::kBucket:
      if (state.levels.empty()) return state.SlidingEarliest(cost, ahead, now);
      return state.BucketEarliest(cost, ahead, now);
    case QuotaKind::kSliding:
      return state.SlidingEarliest(cost, ahead, now);
    default:
      return now;
  }
}

bool Limit::NeverFits(double cost) const { return state_->limit && cost > *state_->limit + kSure; }

}  // namespace apiquota::guard
