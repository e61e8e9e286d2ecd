// What answers say of a quota.
#include <algorithm>
#include <cmath>

#include "guard/limit.h"
#include "guard/limit_state.h"

namespace apiquota::guard {
namespace {

using provider::QuotaKind;

constexpr Micros kClockMargin = std::chrono::milliseconds(300);
constexpr Micros kSameEnd = std::chrono::milliseconds(1500);
constexpr Micros kSoonAfterReset = std::chrono::seconds(5);
constexpr Micros kLaterStep = std::chrono::milliseconds(500);
constexpr Micros kLaterMax = std::chrono::seconds(5);
constexpr Micros kGuessedWindowMax = std::chrono::hours(25);
constexpr size_t kLevelsMax = 16;
constexpr double kStepMax = 1e9;
constexpr double kRounding = 1e-6;

std::optional<double> SaidLevel(const provider::Reading& reading, std::optional<double> limit) {
  if (reading.remaining) return *reading.remaining;
  if (reading.used && limit) return *limit - *reading.used;
  return std::nullopt;
}

// The greatest that divides both; numbers with fractions are as fine as can be.
double CommonStep(double a, double b) {
  if (a != std::floor(a) || b != std::floor(b) || std::abs(a) > kStepMax || std::abs(b) > kStepMax)
    return 1e-6;
  return static_cast<double>(std::gcd(std::llround(a), std::llround(b)));
}

}  // namespace

// The latest that an end said in this answer's way can be on our clock.
SystemTime Limit::State::OnOurClock(SystemTime said, const Heard& heard) {
  return heard.reading.reset_absolute && heard.offset ? said - heard.offset->least : said;
}

void Limit::State::LearnStep(double level) {
  if (level == 0) return;
  step = step == 0 ? std::abs(level) : CommonStep(step, level);
}

void Limit::State::LearnFacts(const Heard& heard) {
  const provider::Reading& reading = heard.reading;
  if (declared || kind != reading.kind) {
    // The API's own word, or the operator's correction of it, stands.
    declared = false;
    kind = reading.kind;
    moves = refills = false;
    levels.clear();
    end.reset();
  }
  kind_assumed = reading.kind_assumed;
  const bool newer = levels.empty() || heard.sent_at >= levels.back().sent_at;
  if (reading.limit && *reading.limit >= 0 && newer) limit = *reading.limit;
  if (reading.window_seconds && *reading.window_seconds > 0) {
    const bool derived = reading.derived.Has(provider::SignalField::kWindow);
    const double drawn = derived && limit && reading.remaining ? *limit - *reading.remaining : 0;
    if (!derived || !window || (!window_said && drawn >= window_drawn)) {
      window = SecondsToMicros(*reading.window_seconds);
      window_said = !derived;
      window_drawn = drawn;
    } else {
      window_drawn *= 0.98;
    }
  }
}

// Where its window ends, and what that tells about how it comes back.
bool Limit::State::LearnEnd(const Heard& heard, double level) {
  if (!heard.reading.reset_at) return true;
  const SystemTime said = *heard.reading.reset_at;
  const SystemTime ours = OnOurClock(said, heard);
  const bool whole_seconds =
      heard.reading.reset_absolute
          ? heard.reading.reset_at->time_since_epoch() % std::chrono::seconds(1) == Micros(0)
          : (*heard.reading.reset_at - heard.received_at) % std::chrono::seconds(1) == Micros(0);
  const Micros resolution =
      whole_seconds ? Micros(std::chrono::seconds(1)) : Micros(std::chrono::milliseconds(1));
  const SystemTime sure = ours + resolution + kClockMargin + late;
  if (kind != QuotaKind::kFixed) {
    end = sure;
    said_end = ours;
    return true;
  }
  const Micros same = window ? std::min(kSameEnd, *window / 2) : kSameEnd;
  const auto begin = [&] {
    first_said = said;
    said_end = ours;
    end = sure;
    levels.clear();
    if (window_said) return;
    const Micros guess = std::chrono::round<std::chrono::seconds>(ours - heard.received_at);
    if (guess <= Micros(0) || guess > kGuessedWindowMax) return;
    window = window && *window <= kGuessedWindowMax ? std::max(*window, guess) : guess;
  };
  const bool known = first_said != SystemTime{};
  if (!known) return begin(), true;
  const bool later = said > first_said + same;
  const bool earlier = said < first_said - same;
  if (!later && !earlier) {
    if (!end) return false;  // of the window that is over
    // The clock's offset is known better with each answer.
    end = heard.reading.reset_absolute ? sure : std::max(*end, sure);
    said_end = heard.reading.reset_absolute ? ours : std::max(said_end, ours);
    return true;
  }
  const bool after_newest = levels.empty() || heard.sent_at >= levels.back().received_at;
  if (earlier) {
    // A newer word takes the place of a wrong one; what is older speaks of a window that is over.
    if (!end || !after_newest) return false;
    if (!window_said) window.reset();
    return begin(), true;
  }
  // Rounded up it may have come that much earlier, and by a clock that is known badly, too.
  const Micros doubt =
      resolution + (heard.reading.reset_absolute && heard.offset ? heard.offset->uncertainty : Micros(0));
  const SystemTime first_end = OnOurClock(first_said, heard);
  if (heard.received_at + doubt < first_end) {
    // Windows that end do not move: this one is extended by each answer.
    // More than an answer said that had come before this one was asked for, and no end between: it refills.
    const auto less = [&](const Level& other) {
      return other.received_at <= heard.sent_at && level > other.at_receipt + std::max(step, 1.0);
    };
    if (moves && std::ranges::any_of(levels, less)) refills = true;
    moves = true;
    const std::deque<Level> kept = levels;
    begin();
    levels = kept;
    return true;
  }
  if (level > lowest || level >= limit.value_or(level)) ++restored;
  if (end) outlays.NextWindow(first_end);
  lowest = level;
  return begin(), true;
}

void Limit::State::TakeLevel(const Heard& heard, double level) {
  Forget(heard.received_at);
  const auto overlaps = [](const Level& a, const Level& b) { return a.received_at > b.sent_at; };
  const Level mine{heard.sent_at, heard.received_at, level, log.freed()};
  if (levels.empty() || mine.sent_at >= levels.back().sent_at) {
    std::erase_if(levels, [&](const Level& other) { return !overlaps(other, mine); });
    levels.push_back(mine);
    opened_at.reset();
  } else if (overlaps(mine, levels.back())) {
    const auto at = std::ranges::upper_bound(levels, mine.sent_at, {}, &Level::sent_at);
    levels.insert(at, mine);
  }
  while (levels.size() > kLevelsMax) {
    Level& second = levels[1];
    second.at_receipt = std::min(second.at_receipt, levels.front().at_receipt);
    second.received_at = std::max(second.received_at, levels.front().received_at);
    second.freed = std::max(second.freed, levels.front().freed);
    levels.pop_front();
  }
  lowest = std::min(lowest, level);
}

void Limit::Hear(const Heard& heard, SystemTime now) {
  State& state = *state_;
  state.Roll(now);
  state.LearnFacts(heard);
  if (heard.throttled && state.rolled_at && heard.received_at < *state.rolled_at + kSoonAfterReset)
    state.late = std::min(state.late + kLaterStep, kLaterMax);
  auto level = SaidLevel(heard.reading, state.limit);
  if (!level) return;
  state.LearnStep(*level);
  const double hidden = state.outlays.hidden();
  const auto before = state.LevelAt(heard.received_at);
  const bool alone = !state.levels.empty() && heard.sent_at >= state.levels.back().received_at;
  const double said_before = state.levels.empty() ? 0 : state.levels.back().at_receipt;
  const bool newest = state.levels.empty() || heard.sent_at >= state.levels.back().sent_at;
  if (heard.counted) state.outlays.Shown(heard.ticket);
  size_t shown = heard.counted ? 1 : 0;
  if (newest) shown += state.outlays.ShownBefore(heard.sent_at);
  // As it would be if the reading said just what is known.
  const double expected =
      before ? *before + state.headroom() + hidden - (hidden - state.outlays.hidden()) : *level;
  const auto window_before = state.first_said;
  if (!state.LearnEnd(heard, *level)) return;
  if (before && state.first_said == window_before && !state.levels.empty()) {
    if (alone && shown != 0 && said_before > *level) {
      state.costs.Add((said_before - *level) / static_cast<double>(shown));
      state.learned = state.costs.At(50);
    }
    const bool coarser =
        *level > expected && *level - expected < state.step && state.kind != QuotaKind::kFixed;
    // Whether what is still unanswered is in it or not can't be told from a fraction.
    const bool floored = state.kind == QuotaKind::kBucket && state.step <= 1 && expected > *level &&
                         expected - *level < state.step && state.outlays.hidden() < kRounding;
    if (coarser || floored) *level = expected;
  }
  state.TakeLevel(heard, *level);
}

}  // namespace apiquota::guard
