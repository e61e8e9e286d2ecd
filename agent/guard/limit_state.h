// What a Limit is made of. Internal to this room.
#pragma once

#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <string>

#include "guard/limit.h"
#include "guard/outlays.h"
#include "guard/send_log.h"
#include "guard/slots.h"
#include "guard/token_model.h"

namespace apiquota::guard {

inline constexpr double kTouchCost =
    1e-9;                              // the cost of a call to what is stopped at full use, and not paced
inline constexpr double kSure = 1e-6;  // sums of many small costs are off by less
inline constexpr Micros kSendMargin = std::chrono::milliseconds(500);
inline constexpr Micros kUnknownWindow = std::chrono::seconds(60);

// One reading's level, at the time of its receipt; and what the log of sends had left behind by then.
struct Level {
  SystemTime sent_at, received_at;
  double at_receipt = 0;
  double freed = 0;
  SystemTime refilled_at{};  // a bucket's, if after its receipt
};

// What a limit's requests cost: known by its unit, or learned.
enum class CostRule : uint8_t { kNothing, kTouch, kRequest, kSlot, kInput, kOutput, kTokens, kLearned };

struct Limit::State {
  State(const PaceOptions& pace, std::string_view quota, std::string_view unit, provider::QuotaKind kind,
        bool kind_assumed);

  double limit_left() const;  // the limit without headroom; REQUIRES: limit
  double headroom() const;
  // Own sends alone bound it, beside what readings say.
  bool log_holds() const;
  bool log_alone() const;     // … whatever the next reading says
  bool log_may_hold() const;  // once more is known
  std::optional<Micros> log_window() const;
  double rate() const;  // a bucket's, a second; 0: not known
  std::optional<double> LevelAt(SystemTime now) const;
  double RefilledTo(SystemTime now, const Level& level, double back) const;
  void Refill(SystemTime now);
  void Roll(SystemTime now);
  SystemTime UnsaidEnd() const;  // REQUIRES: levels
  double FreedBy(SystemTime now) const;
  void Forget(SystemTime now);

  bool Enough(double cost, double need, double level) const;
  SystemTime WindowedEarliest(double cost, double ahead, SystemTime now);
  SystemTime BucketEarliest(double cost, double ahead, SystemTime now);
  SystemTime SlidingEarliest(double cost, double ahead, SystemTime now);
  SystemTime SpreadEarliest(double need, double level, SystemTime now) const;
  SystemTime Leaving(SystemTime now) const;
  void NoteLeft(double cost, SystemTime now);
  void NoteWaiting(double cost, SystemTime now);
  SystemTime PossibleFor(double cost, double ahead, SystemTime now);

  // limit_hear.cc
  void LearnFacts(const Heard& heard);
  struct SaidEnd {
    SystemTime said, ours{}, sure{};
    Micros doubt{}, same{};
  };
  SaidEnd EndIn(const Heard& heard) const;
  void BeginWindow(const SaidEnd& said, SystemTime received_at);
  void LearnMove(const Heard& heard, double level);
  bool LearnEnd(const Heard& heard, double level);  // false: it speaks of another window
  void TakeLevel(const Heard& heard, double level);
  void LearnStep(double level);
  void HearSlots(const Heard& heard, SystemTime now);
  static SystemTime OnOurClock(SystemTime said, const Heard& heard);

  PaceOptions pace;
  const std::string quota, unit;
  provider::QuotaKind kind;
  bool kind_assumed;
  bool declared = false;
  CostRule rule;

  std::optional<double> limit;
  std::optional<Micros> window;
  bool window_said = false;  // else derived, from a reading so far from full:
  double window_drawn = 0;

  std::deque<Level> levels;             // the newest by its request, and those that were under way beside it
  std::optional<SystemTime> end;        // of the window, on our clock, with its margin
  SystemTime said_end{};                // without
  SystemTime first_said{};              // as it was said first, by the API's clock if that is how it says it
  std::optional<SystemTime> rolled_at;  // the window that ended then was followed by one that is whole
  std::optional<SystemTime> unsaid_begin;  // of the window, if no end of it was said: the first request in it
  double probing = 0;                      // so many go to learn whether anything is left; 0: that is known
  double highest = 0;                      // level ever seen
  double lowest = 0;                       // level seen in this window
  double step = 0;                         // what readings are rounded to; 0: nothing is known

  int restored = 0;                    // ends that were seen to bring the limit back
  std::optional<Micros> between_ends;  // the last two of those: no window is longer, whatever is said of it
  bool moves = false;                  // its end moves on with each answer
  bool refills = false;                // … and more comes back without an end
  Micros late{};                       // learned: how much after its end it still refused

  Outlays outlays;
  SendLog log;
  std::unique_ptr<Slots> slots;     // of calls at a time; null: of any other kind
  SystemTime heard_at{};            // … whose newest reading was of a request of then
  RecentQuantile<double, 9> costs;  // of own calls, where only the API knows them
  std::optional<double> learned;

  double waiting = 0;                 // cost of those who wait
  std::optional<SystemTime> free_at;  // when one of several who wait may go
  Micros leave_gap{};                 // between two, for each unit of cost
  bool leaving = false;
  SystemTime leave_next{};
  SystemTime leave_until{};
};

}  // namespace apiquota::guard
