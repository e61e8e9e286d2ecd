// When how much may be taken of a quota.
#include <algorithm>
#include <cmath>

#include "guard/limit.h"
#include "guard/limit_state.h"

namespace apiquota::guard {
namespace {

using provider::QuotaKind;

constexpr Micros kLeaveSpan = std::chrono::seconds(2);
constexpr double kLeaveGapMost = 0.02;  // seconds
constexpr Micros kLeaveLag = std::chrono::milliseconds(50);
constexpr Micros kLookAgain = std::chrono::seconds(1);  // unless something happens before

Micros Seconds(double seconds) { return SecondsToMicros(seconds); }

}  // namespace

// Those who wait for a limit leave evenly once there is room again: over 2 s at most, and neither a few over
// seconds nor anybody slower than the limit comes back.
void Limit::State::NoteLeft(double cost, SystemTime now) {
  if (free_at) {
    leaving = waiting > 1 && limit;
    const Micros length = window.value_or(kUnknownWindow);
    const double there = leaving ? std::max(1.0, std::min(waiting, *limit)) : 1;
    const double gap = std::min({ToSeconds(std::min(kLeaveSpan, length / 20)) / there, kLeaveGapMost,
                                 ToSeconds(length) / (2 * std::max(1.0, limit.value_or(1)))});
    leave_gap = Seconds(gap);
    // It begins when there was room, whenever that is noticed.
    leave_next = std::min(*free_at, now);
    leave_until = leave_next + Seconds(gap * there);
    leaving = leaving && now < leave_until;
  }
  if (leaving) {
    // A little lateness is caught up with. What is lost beyond that is added at the end: those who are left
    // would go all at once there.
    if (const SystemTime lag = now - kLeaveLag; leave_next < lag) {
      leave_until += lag - leave_next;
      leave_next = lag;
    }
    leave_next += Seconds(ToSeconds(leave_gap) * cost);
  }
  free_at.reset();
}

void Limit::State::NoteWaiting(double cost, SystemTime now) {
  waiting = cost;
  if (waiting <= 1 || kind == QuotaKind::kBucket) return;
  if (const SystemTime at = PossibleFor(1, 0, now); at > now) free_at = at;
}

SystemTime Limit::State::Leaving(SystemTime now) const {
  return leaving ? std::max(now, std::min(leave_next, leave_until)) : now;
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
  if (Enough(cost, need, *level)) return SpreadEarliest(need, *level, now);
  Micros length = window.value_or(kUnknownWindow);
  if (between_ends) length = std::min(length, *between_ends);
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

SystemTime Limit::State::PossibleFor(double cost, double ahead, SystemTime now) {
  switch (kind) {
    case QuotaKind::kFixed: {
      const SystemTime windowed = refills ? now : WindowedEarliest(cost, ahead, now);
      return log_holds() ? std::max(windowed, SlidingEarliest(cost, ahead, now)) : windowed;
    }
    case QuotaKind::kBucket:
      if (levels.empty()) return SlidingEarliest(cost, ahead, now);
      return BucketEarliest(cost, ahead, now);
    case QuotaKind::kSliding:
      return SlidingEarliest(cost, ahead, now);
    default:
      return now;
  }
}

SystemTime Limit::EarliestFor(double cost, double ahead, SystemTime now) const {
  State& state = *state_;
  const SystemTime at = state.PossibleFor(cost, ahead, now);
  return at <= now ? state.Leaving(now) : at;
}

bool Limit::NeverFits(double cost) const {
  return !state_->slots && state_->limit && cost > *state_->limit + kSure;
}

}  // namespace apiquota::guard
