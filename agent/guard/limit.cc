#include "guard/limit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "guard/limit_state.h"

namespace apiquota::guard {
namespace {

using provider::QuotaKind;

constexpr Micros kUnsaidMargin = std::chrono::milliseconds(1500);
constexpr double kProbingMost = 1e6;
constexpr SystemTime kNotLogged = SystemTime::min();
constexpr double kDerivedRate = 0.995;  // of a rate that follows from rounded numbers

CostRule RuleFor(std::string_view quota, std::string_view unit, QuotaKind kind) {
  if (kind == QuotaKind::kConcurrency) return CostRule::kSlot;
  if (kind == QuotaKind::kBalance || unit == "concurrent-requests") return CostRule::kNothing;
  if (unit == "requests") return CostRule::kRequest;
  if (unit == "percent" || unit == "ratio") return CostRule::kTouch;
  if (unit != "tokens") return CostRule::kLearned;
  if (quota.find("input") != std::string_view::npos) return CostRule::kInput;
  if (quota.find("output") != std::string_view::npos) return CostRule::kOutput;
  return CostRule::kTokens;
}

}  // namespace

Limit::State::State(const PaceOptions& p, std::string_view q, std::string_view u, QuotaKind k, bool assumed)
    : pace(p), quota(q), unit(u), kind(k), kind_assumed(assumed), rule(RuleFor(q, u, k)) {
  if (rule == CostRule::kSlot) slots = std::make_unique<Slots>();
}

double Limit::State::headroom() const {
  if (pace.headroom_is_share) return pace.headroom * limit.value_or(0);
  return rule == CostRule::kTouch ? 0 : pace.headroom;  // a number of requests or tokens is none of percents
}

double Limit::State::limit_left() const { return std::max(0.0, *limit - headroom()); }

bool Limit::State::log_alone() const {
  if (kind == QuotaKind::kSliding || declared || moves || refills) return true;
  // Of a window whose phase nobody tells, too, and of a bucket whose level nobody does.
  if (kind == QuotaKind::kBucket) return levels.empty();
  return kind == QuotaKind::kFixed && (first_said == SystemTime{} || (kind_assumed && restored < 2));
}

// After a reset it holds until the new window's end is said.
bool Limit::State::log_holds() const {
  if (!limit || rule == CostRule::kTouch) return false;
  return log_alone() || (kind == QuotaKind::kFixed && !end);
}

bool Limit::State::log_may_hold() const { return kind != QuotaKind::kBucket || levels.empty(); }

// With its margin: the API counts a request when it comes, which is later than it was sent.
std::optional<Micros> Limit::State::log_window() const {
  if (!window) return std::nullopt;
  return *window + std::min(kSendMargin + late, *window / 4);
}

double Limit::State::rate() const {
  if (!limit || !window || *window <= Micros(0)) return 0;
  return *limit / ToSeconds(*window) * (window_said ? 1 : kDerivedRate);
}

// A reading's level without what is settled and not in it: both come back to a bucket.
double Limit::State::RefilledTo(SystemTime now, const Level& level, double back) const {
  double here = level.at_receipt - outlays.hidden_settled();
  if (back > 0)
    here += back * std::max(0.0, ToSeconds(Micros(now - std::max(level.received_at, level.refilled_at))));
  return limit ? std::min(here, *limit) : here;
}

// What is settled from now on is taken from a bucket that had been no fuller than full; and what comes back
// from now on, at the rate that is known by then. Whoever asks in between changes nothing.
void Limit::State::Refill(SystemTime now) {
  const auto refill = [&](SystemTime at) {
    if (kind != QuotaKind::kBucket) return;
    const double back = rate();
    for (Level& level : levels) {
      level.at_receipt = RefilledTo(at, level, back) + outlays.hidden_settled();
      level.refilled_at = at;
    }
  };
  while (const auto counted = outlays.SettledLater(now)) {
    refill(*counted);
    outlays.CountSettled(*counted);
  }
  refill(now);
}

// What is left now, as the readings say, without what they don't show.
std::optional<double> Limit::State::LevelAt(SystemTime now) const {
  if (levels.empty()) return std::nullopt;
  const double back = kind == QuotaKind::kBucket ? rate() : 0;
  double least = std::numeric_limits<double>::max();
  for (const Level& level : levels) least = std::min(least, RefilledTo(now, level, back));
  return least - (outlays.hidden() - outlays.hidden_settled()) - headroom();
}

// When a window of which no end was said is over at the latest: it began with the first request since the one
// before, or was there when the reading came.
SystemTime Limit::State::UnsaidEnd() const {
  return unsaid_begin.value_or(levels.back().received_at) + window.value_or(kUnknownWindow) + kUnsaidMargin;
}

// What has left the log's window by then; where nobody knows the window, that is all.
double Limit::State::FreedBy(SystemTime now) const {
  const auto span = log_window();
  return log.Freed(span.value_or(Micros(0)), now);
}

// Of a window that is only guessed more is kept: it may turn out to be longer.
void Limit::State::Forget(SystemTime now) {
  if (const auto span = log_window()) log.Forget(window_said ? *span : 2 * *span, *span, now);
}

// A window whose end has surely passed is followed by one that is whole.
void Limit::State::Roll(SystemTime now) {
  if (outlays.SettledLater(now)) Refill(now);
  if (kind != QuotaKind::kFixed || (!end && levels.empty())) return;
  const SystemTime ended = end ? *end : UnsaidEnd();
  if (now < ended) return;
  // What was not answered by the true end counts in the new window.
  const bool end_said = end.has_value();
  if (end_said && !log_alone()) log.ForgetUntil(said_end - Micros(1));
  outlays.NextWindow(end_said ? said_end : ended);
  end.reset();
  unsaid_begin.reset();
  rolled_at = ended;
  levels.clear();
  // Where not even the window's length is known, one goes, and its answer may say more.
  double whole = limit.value_or(std::max(1.0, highest));
  if (!end_said && !window && rule == CostRule::kRequest) whole = probing = std::max(1.0, probing);
  levels.push_back({ended, ended, whole, FreedBy(ended)});
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
      return kTouchCost;
    case CostRule::kRequest:
    case CostRule::kSlot:
      return 1;
    case CostRule::kInput:
      return std::max(tokens.input, kTouchCost);
    case CostRule::kOutput:
      return std::max(tokens.output, kTouchCost);
    case CostRule::kTokens:
      return std::max(tokens.counted, kTouchCost);
    case CostRule::kLearned:
      return std::max(state_->learned.value_or(0), kTouchCost);
  }
  return 0;
}

void Limit::Take(Id ticket, double cost, SystemTime now) {
  State& state = *state_;
  if (state.slots) return state.slots->Take(ticket, now);
  state.Roll(now);
  if (!state.end && !state.unsaid_begin) state.unsaid_begin = now;
  state.Forget(now);
  state.outlays.Take(ticket, cost, state.log_may_hold() ? state.log.Add(cost, now) : kNotLogged);
  state.NoteLeft(cost, now);
}

void Limit::Sent(Id ticket, SystemTime now) {
  const auto open = state_->outlays.Find(ticket);
  if (open && open->logged_at != kNotLogged)
    state_->outlays.SetLoggedAt(ticket, state_->log.Move(open->logged_at, open->cost, now));
}

void Limit::Answered(Id ticket, SystemTime now) {
  State& state = *state_;
  state.outlays.Answered(ticket, now);
  if (state.probing == 0) return;
  // That answer had no word of it: twice as many may be tried.
  state.probing = std::min(2 * state.probing, kProbingMost);
  state.levels = {{now, now, state.outlays.hidden() + state.probing, state.FreedBy(now)}};
}

void Limit::Settle(Id ticket, double cost, SystemTime now, SystemTime counted_by) {
  State& state = *state_;
  if (state.slots) return state.slots->End(ticket, now);
  const auto open = state.outlays.Find(ticket);
  if (!open) return;
  if (state.rule == CostRule::kLearned) cost = open->cost;
  if (open->logged_at != kNotLogged && state.rule != CostRule::kRequest) {
    // What is charged at its end counts from then on.
    if (!open->answered)
      state.outlays.SetLoggedAt(ticket, state.log.Move(open->logged_at, open->cost, counted_by));
    const SystemTime at = state.outlays.Find(ticket)->logged_at;
    const auto span = state.log_window();
    if (!span || at + *span > now) state.log.Change(at, cost - open->cost);
  }
  state.Refill(now);
  state.outlays.Settle(ticket, cost, now, counted_by);
}

void Limit::GiveBack(Id ticket, SystemTime now) {
  if (state_->slots) return state_->slots->End(ticket, now);
  const auto open = state_->outlays.Find(ticket);
  if (open && open->logged_at != kNotLogged) state_->log.Change(open->logged_at, -open->cost);
  state_->outlays.GiveBack(ticket);
}

void Limit::NoteWaiting(double cost, SystemTime now) {
  if (state_->slots) return;
  state_->Roll(now);
  state_->NoteWaiting(cost, now);
}

void Limit::SetPace(const PaceOptions& pace) { state_->pace = pace; }

const Slots* Limit::slots() const { return state_->slots.get(); }

double Limit::Reserved() const {
  if (state_->slots) return static_cast<double>(state_->slots->in_use());
  return state_->outlays.reserved() < 1e-3 ? 0 : state_->outlays.reserved();
}
const std::string& Limit::quota() const { return state_->quota; }
const std::string& Limit::unit() const { return state_->unit; }
std::optional<double> Limit::limit() const { return state_->limit; }

std::optional<double> Limit::window_seconds() const {
  return state_->window ? std::optional(ToSeconds(*state_->window)) : std::nullopt;
}

std::optional<double> Limit::available(SystemTime now) const {
  State& state = *state_;
  if (const Slots* slots = state.slots.get()) {
    if (!slots->limited()) return std::nullopt;
    return static_cast<double>(slots->limit(now)) - static_cast<double>(slots->in_use());
  }
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
  if (state.slots) return state.slots->in_use() == 0;
  state.Roll(now);
  if (state.outlays.in_flight() || state.declared) return false;
  if (const auto span = state.log_window(); span && state.log.Total(*span, now) > kSure) return false;
  return !state.end || now >= *state.end;
}

}  // namespace apiquota::guard
