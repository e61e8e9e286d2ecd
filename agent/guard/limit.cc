#include "guard/limit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "guard/limit_state.h"

namespace apiquota::guard {
namespace {

using provider::QuotaKind;

constexpr double kTouch = 1e-9;  // the cost of a call to what is stopped at full use, and not paced
constexpr double kSure = 1e-6;   // sums of many small costs are off by less
constexpr Micros kLeaveSpan = std::chrono::seconds(2);
constexpr Micros kLeaveGapMost = std::chrono::milliseconds(20);
constexpr Micros kSendMargin = std::chrono::milliseconds(500);
constexpr Micros kUnknownWindow = std::chrono::seconds(60);
constexpr double kDerivedRate = 0.995;  // of a rate that follows from rounded numbers

CostRule RuleFor(std::string_view quota, std::string_view unit, QuotaKind kind) {
  if (kind == QuotaKind::kBalance || kind == QuotaKind::kConcurrency || unit == "concurrent-requests")
    return CostRule::kNothing;
  if (unit == "requests") return CostRule::kRequest;
  if (unit == "percent" || unit == "ratio") return CostRule::kTouch;
  if (unit != "tokens") return CostRule::kLearned;
  if (quota.find("input") != std::string_view::npos) return CostRule::kInput;
  if (quota.find("output") != std::string_view::npos) return CostRule::kOutput;
  return CostRule::kTokens;
}

Micros Seconds(double seconds) { return SecondsToMicros(seconds); }

}  // namespace

Limit::State::State(const PaceOptions& p, std::string_view q, std::string_view u, QuotaKind k, bool assumed)
    : pace(p), quota(q), unit(u), kind(k), kind_assumed(assumed), rule(RuleFor(q, u, k)) {}

double Limit::State::headroom() const {
  return pace.headroom_is_share ? pace.headroom * limit.value_or(0) : pace.headroom;
}

double Limit::State::limit_left() const { return std::max(0.0, *limit - headroom()); }

bool Limit::State::log_holds() const {
  if (!limit || rule == CostRule::kTouch) return false;
  if (kind == QuotaKind::kSliding || declared || moves || refills) return true;
  return kind == QuotaKind::kFixed && kind_assumed && restored < 2;
}

bool Limit::State::log_may_hold() const {
  return !limit || declared || kind_assumed || kind == QuotaKind::kSliding;
}

// With its margin: the API counts a request when it comes, which is later than it was sent.
std::optional<Micros> Limit::State::log_window() const {
  if (!window) return std::nullopt;
  return *window + std::min(kSendMargin + late, *window / 4);
}

double Limit::State::rate() const {
  if (!limit || !window || *window <= Micros(0)) return 0;
  return *limit / ToSeconds(*window) * (window_said ? 1 : kDerivedRate);
}

// What is left now, as the readings say, without what they don't show. Of a bucket that comes back like all
// else once it has been taken, which it surely was when its answer was complete.
std::optional<double> Limit::State::LevelAt(SystemTime now) const {
  if (levels.empty()) return std::nullopt;
  const double back = kind == QuotaKind::kBucket ? rate() : 0;
  const auto refilled = [&](double level, SystemTime from, SystemTime to) {
    const double here = level + back * std::max(0.0, ToSeconds(Micros(to - from)));
    return limit ? std::min(here, *limit) : here;
  };
  double least = std::numeric_limits<double>::max();
  for (const Level& level : levels) {
    const SystemTime taken =
        std::clamp(outlays.last_settled(), level.received_at, std::max(level.received_at, now));
    const double then = refilled(level.at_receipt, level.received_at, taken) - outlays.hidden_settled();
    least = std::min(least, refilled(then, taken, now));
  }
  return least - (outlays.hidden() - outlays.hidden_settled()) - headroom();
}

// What has left the log by now has not left it since, whoever asked when.
void Limit::State::Forget(SystemTime now) {
  if (const auto span = log_window(); span && log_may_hold()) log.Forget(*span, now);
}

// A window whose end has surely passed is followed by one that is whole.
void Limit::State::Roll(SystemTime now) {
  if (kind != QuotaKind::kFixed || !end || now < *end) return;
  const SystemTime ended = *end;
  end.reset();
  levels.clear();
  rolled_at = ended;
  // What was not answered by the true end counts in the new window.
  outlays.NextWindow(said_end);
  Forget(ended);
  if (limit) levels.push_back({ended, ended, *limit, log.freed()});
  leave_gap = Micros(0);
  if (waiting <= 1 || !limit) return;
  // A few need not be spread over seconds.
  const Micros most = std::min(kLeaveSpan, window.value_or(kUnknownWindow) / 20);
  const Micros span = std::min(most, kLeaveGapMost * static_cast<int64_t>(std::min(waiting, 1e6)));
  leave_gap = Seconds(ToSeconds(span) / std::max(1.0, std::min(waiting, *limit)));
  leave_next = now;
  leave_until = now + span;
}

SystemTime Limit::State::Leaving(SystemTime at, SystemTime now) const {
  if (leave_gap <= Micros(0) || now >= leave_until) return at;
  return std::max(at, leave_next);
}

// Of `spread` of a window no more than its time has brought may be used.
SystemTime Limit::State::SpreadEarliest(double need, double level, SystemTime now) const {
  if (pace.spread <= 0 || !end || !window || !limit) return now;
  const double whole = limit_left();
  const double used = whole - level;
  const double late_share = (used + need) / std::max(whole, kTouch) - (1 - pace.spread);
  if (late_share <= 0) return now;
  const SystemTime begin = said_end - *window;
  return std::max(now, begin + Seconds(ToSeconds(*window) * std::min(1.0, late_share / pace.spread)));
}

SystemTime Limit::State::WindowedEarliest(double cost, double ahead, SystemTime now) {
  Roll(now);
  const auto level = LevelAt(now);
  if (!level) return now;
  const double most = limit ? limit_left() : std::max(*level + outlays.hidden(), cost);
  const double need = std::min(cost, most) + ahead;
  if (*level + kSure >= need) return Leaving(SpreadEarliest(need, *level, now), now);
  const Micros length = window.value_or(kUnknownWindow);
  const SystemTime next = end.value_or(rolled_at.value_or(levels.back().received_at) + length + kSendMargin);
  if (most <= 0) return SystemTime::max();
  const double missing = need - std::max(0.0, *level);
  const auto further = static_cast<int64_t>(std::clamp(std::ceil(missing / most) - 1, 0.0, 1e6));
  return std::max(now + Micros(1), next + length * further);
}

SystemTime Limit::State::BucketEarliest(double cost, double ahead, SystemTime now) const {
  const auto level = LevelAt(now);
  if (!level) return now;
  const double most = limit ? limit_left() : cost;
  const double need = std::min(cost, most) + ahead;
  if (*level + kSure >= need) return now;
  const double back = rate();
  if (most <= 0) return SystemTime::max();
  if (back <= 0) return end ? std::max(now + Micros(1), *end) : levels.back().received_at + kUnknownWindow;
  return now + std::max(Micros(1), Seconds((need - *level) / back));
}

// Own sends, and what was said as far as it goes beyond them: what others took comes back at the said end.
SystemTime Limit::State::SlidingEarliest(double cost, double ahead, SystemTime now) {
  SystemTime at = now;
  const auto span = log_window();
  if (log_holds() && span) at = log.EarliestFor(cost, ahead, limit_left(), *span, now);
  if (kind != QuotaKind::kSliding && !refills) return at;
  if (levels.empty()) return at;
  const Level& newest = levels.back();
  const SystemTime over = end.value_or(newest.received_at + window.value_or(kUnknownWindow));
  if (now >= over) return at;
  double level = newest.at_receipt + log.freed() - newest.freed;
  for (const Level& each : levels) level = std::min(level, each.at_receipt + log.freed() - each.freed);
  level -= outlays.hidden() + headroom();
  if (level + kSure >= std::min(cost, limit ? limit_left() : cost)) return at;
  // Whichever comes first: own sends that leave the window, or the end of all that was said.
  if (!span || log.empty()) return std::max(at, over);
  return std::max(at, std::min(over, log.FreeAt(cost - level, *span)));
}

Limit::Limit(const PaceOptions& pace, std::string_view quota, std::string_view unit, QuotaKind kind,
             bool kind_assumed)
    : state_(std::make_unique<State>(pace, quota, unit, kind, kind_assumed)) {}
Limit::Limit(std::unique_ptr<State> state) : state_(std::move(state)) {}
Limit::~Limit() = default;
Limit::Limit(Limit&&) noexcept = default;
Limit& Limit::operator=(Limit&&) noexcept = default;

Limit Limit::Declared(const PaceOptions& pace, const quota::DeclaredLimit& declared) {
  auto state = std::make_unique<State>(pace, declared.quota, "requests", QuotaKind::kSliding, false);
  state->declared = state->window_said = true;
  state->limit = declared.limit;
  state->window = declared.window;
  return Limit(std::move(state));
}

double Limit::CostOf(const TokenCost& tokens) const {
  switch (state_->rule) {
    case CostRule::kNothing:
      return 0;
    case CostRule::kTouch:
      return kTouch;
    case CostRule::kRequest:
      return 1;
    case CostRule::kInput:
      return std::max(tokens.input, kTouch);
    case CostRule::kOutput:
      return std::max(tokens.output, kTouch);
    case CostRule::kTokens:
      return std::max(tokens.counted, kTouch);
    case CostRule::kLearned:
      return std::max(state_->learned.value_or(0), kTouch);
  }
  return 0;
}

SystemTime Limit::EarliestFor(double cost, double ahead, SystemTime now) const {
  State& state = *state_;
  switch (state.kind) {
    case QuotaKind::kFixed: {
      const SystemTime windowed = state.refills ? now : state.WindowedEarliest(cost, ahead, now);
      return state.log_holds() ? std::max(windowed, state.SlidingEarliest(cost, ahead, now)) : windowed;
    }
    case QuotaKind::kBucket:
      return state.BucketEarliest(cost, ahead, now);
    case QuotaKind::kSliding:
      return state.SlidingEarliest(cost, ahead, now);
    default:
      return now;
  }
}

bool Limit::NeverFits(double cost) const { return state_->limit && cost > *state_->limit + kSure; }

void Limit::Take(Id ticket, double cost, SystemTime now) {
  State& state = *state_;
  state.Roll(now);
  state.outlays.Take(ticket, cost);
  if (state.log_may_hold()) state.log.Add(ticket, cost, now);
  if (state.leave_gap > Micros(0)) {
    state.leave_next = std::max(now, state.leave_next) + Seconds(ToSeconds(state.leave_gap) * cost);
    if (now >= state.leave_until) state.leave_gap = Micros(0);
  }
}

void Limit::Sent(Id ticket, SystemTime now) { state_->log.Sent(ticket, now); }

void Limit::Answered(Id ticket, SystemTime now) { state_->outlays.Answered(ticket, now); }

void Limit::Settle(Id ticket, double cost, SystemTime now) {
  if (state_->rule == CostRule::kLearned) return state_->outlays.SettleAsTaken(ticket, now);
  state_->outlays.Settle(ticket, cost, now);
  if (state_->rule != CostRule::kRequest) state_->log.Settle(ticket, cost);
}

void Limit::GiveBack(Id ticket, SystemTime) {
  state_->outlays.GiveBack(ticket);
  state_->log.Remove(ticket);
}

void Limit::NoteWaiting(double cost, SystemTime now) {
  state_->Roll(now);
  state_->waiting = cost;
}

void Limit::SetPace(const PaceOptions& pace) { state_->pace = pace; }

double Limit::Reserved() const { return state_->outlays.reserved() < 1e-3 ? 0 : state_->outlays.reserved(); }
const std::string& Limit::quota() const { return state_->quota; }
const std::string& Limit::unit() const { return state_->unit; }
std::optional<double> Limit::limit() const { return state_->limit; }

std::optional<double> Limit::window_seconds() const {
  return state_->window ? std::optional(ToSeconds(*state_->window)) : std::nullopt;
}

std::optional<double> Limit::available(SystemTime now) const {
  State& state = *state_;
  state.Roll(now);
  std::optional<double> left = state.refills ? std::nullopt : state.LevelAt(now);
  if (const auto span = state.log_window(); span && state.log_holds()) {
    const double room = state.limit_left() - state.log.Total(*span, now);
    left = std::min(left.value_or(room), room);
  }
  return left;
}

bool Limit::idle(SystemTime now) const {
  State& state = *state_;
  state.Roll(now);
  if (state.outlays.in_flight() || state.declared) return false;
  if (const auto span = state.log_window(); span && state.log.Total(*span, now) > 0) return false;
  return !state.end || now >= *state.end;
}

}  // namespace apiquota::guard
