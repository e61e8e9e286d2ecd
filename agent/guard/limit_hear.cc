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
constexpr size_t kLevelsMax = 4;  // readings that overlap: every question looks at all of them
constexpr double kStepMax = 1e9;
constexpr double kRounding = 1e-6;
constexpr double kSlotsMost = 1e6;

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

// An end as an answer said it: by the API's clock, if that is how it says it, and on ours; surely passed; and
// by how much it may be earlier.
Limit::State::SaidEnd Limit::State::EndIn(const Heard& heard) const {
  const bool absolute = heard.reading.reset_absolute;
  SaidEnd said{.said = *heard.reading.reset_at};
  const Micros part = absolute ? said.said.time_since_epoch() : said.said - heard.received_at;
  const bool whole_seconds = part % std::chrono::seconds(1) == Micros(0);
  const Micros resolution = whole_seconds ? std::chrono::seconds(1) : std::chrono::milliseconds(1);
  said.ours = OnOurClock(said.said, heard);
  said.sure = said.ours + resolution + kClockMargin + late;
  if (heard.sent_at >= said.sure) {
    // Asked after that, it still speaks of it: there it has not come yet.
    said.ours = heard.received_at;
    said.sure = heard.received_at + kLaterStep;
  }
  said.doubt = resolution + (absolute && heard.offset ? heard.offset->uncertainty : Micros(0));
  // Spans to one moment differ by their rounding, and by how long the answers travelled.
  said.same = std::max(absolute ? Micros(0) : resolution + kClockMargin,
                       window ? std::min(kSameEnd, *window / 2) : kSameEnd);
  return said;
}

void Limit::State::BeginWindow(const SaidEnd& said, SystemTime received_at) {
  first_said = said.said;
  said_end = said.ours;
  end = said.sure;
  unsaid_begin.reset();
  if (window_said) return;
  const Micros guess = std::chrono::round<std::chrono::seconds>(said.ours - received_at);
  if (guess <= Micros(0) || guess > kGuessedWindowMax) return;
  window = window && *window <= kGuessedWindowMax ? std::max(*window, guess) : guess;
}

// Windows that end do not move: this one is extended by each answer. If one says more than another that had
// come before it was asked for, and no end was between, it refills.
void Limit::State::LearnMove(const Heard& heard, double level) {
  const auto less = [&](const Level& other) {
    return other.received_at <= heard.sent_at && level > other.at_receipt + std::max(step, 1.0);
  };
  if (moves && std::ranges::any_of(levels, less)) refills = true;
  moves = true;
}

// Where its window ends, and what that tells about how it comes back.
bool Limit::State::LearnEnd(const Heard& heard, double level) {
  if (!heard.reading.reset_at) return true;
  const SaidEnd said = EndIn(heard);
  if (kind != QuotaKind::kFixed) {
    end = said.sure;
    said_end = said.ours;
    return true;
  }
  const auto begin = [&] {
    BeginWindow(said, heard.received_at);
    levels.clear();
  };
  if (first_said == SystemTime{}) return begin(), true;
  const bool later = said.said > first_said + said.same;
  const bool earlier = said.said < first_said - said.same;
  if (!later && !earlier) {
    if (!end && heard.sent_at < rolled_at.value_or(SystemTime::max()))
      return false;  // of the window that is over
    if (!end) levels.clear();
    // The clock's offset is known better with each answer.
    end = heard.reading.reset_absolute ? said.sure : std::max(*end, said.sure);
    said_end = heard.reading.reset_absolute ? said.ours : std::max(said_end, said.ours);
    return true;
  }
  if (earlier) {
    // A newer word takes the place of a wrong one; what is older speaks of a window that is over.
    const bool after_newest = levels.empty() || heard.sent_at >= levels.back().received_at;
    if (!end || !after_newest) return false;
    if (!window_said) window.reset();
    return begin(), true;
  }
  const SystemTime first_end = OnOurClock(first_said, heard);
  if (heard.received_at + said.doubt < first_end) {
    LearnMove(heard, level);
    BeginWindow(said, heard.received_at);
    return true;
  }
  if (level > lowest || level >= limit.value_or(level)) {
    ++restored;
    between_ends = said.said - first_said;
  }
  if (end) outlays.NextWindow(first_end);
  lowest = level;
  // Of windows as short as what their ends are told to, nobody knows which one an answer on its way spoke of.
  const bool told_apart = !window || said.same * 2 <= *window;
  BeginWindow(said, heard.received_at);
  if (told_apart) levels.clear();
  return true;
}

void Limit::State::TakeLevel(const Heard& heard, double level) {
  Forget(heard.received_at);
  const auto overlaps = [](const Level& a, const Level& b) { return a.received_at > b.sent_at; };
  const Level mine{heard.sent_at, heard.received_at, level, FreedBy(heard.received_at)};
  if (levels.empty() || mine.sent_at >= levels.back().sent_at) {
    std::erase_if(levels, [&](const Level& other) { return !overlaps(other, mine); });
    levels.push_back(mine);
  } else if (overlaps(mine, levels.back())) {
    const auto at = std::ranges::upper_bound(levels, mine.sent_at, {}, &Level::sent_at);
    levels.insert(at, mine);
  }
  if (levels.size() > kLevelsMax) Refill(heard.received_at);
  while (levels.size() > kLevelsMax) {
    Level& second = levels[1];
    second.at_receipt = std::min(second.at_receipt, levels.front().at_receipt);
    second.received_at = std::max(second.received_at, levels.front().received_at);
    second.freed = std::max(second.freed, levels.front().freed);
    levels.pop_front();
  }
  probing = 0;
  lowest = std::min(lowest, level);
  highest = std::max(highest, level);
}

// Where only what is left is said, the most that ever was, and the call itself, are all. What is said to be
// in use beyond the most that were ours at once is others'. Answers that overtake each other: the newest
// counts.
void Limit::State::HearSlots(const Heard& heard, SystemTime now) {
  const provider::Reading& reading = heard.reading;
  const bool newest = heard.sent_at >= heard_at;
  if (!newest) return;
  heard_at = heard.sent_at;
  if (reading.limit) limit = *reading.limit;
  if (!reading.limit && reading.remaining) limit = std::max(limit.value_or(1), *reading.remaining + 1);
  if (!limit || *limit < 1) return;
  slots->Configure(static_cast<size_t>(std::min(*limit, kSlotsMost)), true);
  if (heard.throttled) slots->Refused(heard.sent_at, now);
  if (!reading.used && !reading.remaining) return;
  const double used = reading.used ? *reading.used : *limit - *reading.remaining;
  const auto own = static_cast<double>(slots->MostSince(heard.sent_at));
  slots->Others(static_cast<size_t>(std::clamp(used - own, 0.0, kSlotsMost)), now);
}

void Limit::Served() {
  if (state_->slots) state_->slots->Served();
}

void Limit::TooMany(SystemTime admitted_at, SystemTime now) {
  if (state_->slots) state_->slots->Refused(admitted_at, now);
}

void Limit::Hear(const Heard& heard, SystemTime now) {
  State& state = *state_;
  if (state.slots) return state.HearSlots(heard, now);
  state.Roll(now);
  state.Refill(now);
  state.LearnFacts(heard);
  if (heard.throttled && state.rolled_at && heard.received_at < *state.rolled_at + kSoonAfterReset)
    state.late = std::min(state.late + kLaterStep, kLaterMax);
  auto level = SaidLevel(heard.reading, state.limit);
  if (!level) return;
  state.LearnStep(*level);
  const auto before = state.LevelAt(heard.received_at);
  const bool alone = !state.levels.empty() && heard.sent_at >= state.levels.back().received_at;
  const double said_before = state.levels.empty() ? 0 : state.levels.back().at_receipt;
  const bool newest = state.levels.empty() || heard.sent_at >= state.levels.back().sent_at;
  if (heard.counted) state.outlays.Shown(heard.ticket);
  size_t shown = heard.counted ? 1 : 0;
  if (newest) shown += state.outlays.ShownBefore(heard.sent_at);
  // As it would be if the reading said just what is known.
  const double expected = before ? *before + state.headroom() + state.outlays.hidden() : *level;
  const auto window_before = state.first_said;
  if (!state.LearnEnd(heard, *level)) return;
  if (before && state.first_said == window_before && !state.levels.empty()) {
    if (alone && shown != 0 && said_before > *level) {
      state.costs.Add((said_before - *level) / static_cast<double>(shown));
      state.learned = state.costs.At(50);
    }
    const bool coarser = *level > expected && *level - expected < state.step;
    // A fraction can't tell whether what is still unanswered is in it, nor how much has come back at a rate
    // that follows from rounded numbers.
    const bool floored = state.kind == QuotaKind::kBucket && state.window_said && state.step <= 1 &&
                         expected > *level && expected - *level < state.step &&
                         state.outlays.hidden() < kRounding;
    if (coarser || floored) *level = expected;
  }
  state.TakeLevel(heard, *level);
}

}  // namespace apiquota::guard
