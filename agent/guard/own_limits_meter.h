// How much of one limit of the operator's one subject has used (docs/guard.md, "Limits of your own"): the
// arithmetic of the three algorithms, which differ in when what was used comes back. Pure; a meter is
// immutable and thread-safe, what it counts is not. Amounts are whole requests or tokens, so that what is
// taken and given back leaves nothing behind.
//
//   fixed    the first request of a subject opens its window; all comes back when that is over, not before,
//   and
//            refusals don't extend it. (So do windows of the Python package `limits` 2.8 in memory, which are
//            not aligned to the clock: who comes first at 12:00:37 has a minute from then on.)
//   sliding  each request comes back a window after it went. Of limits up to 60 each is remembered; of larger
//            ones and of tokens the sub-window it fell into, a sixtieth of the window, which comes back when
//            the last that can have fallen into it does: never more than the limit in any span of a window.
//            (`limits` calls it the moving window.)
//   gcra     one comes back every window/limit; at most `burst` are there (the generic cell rate algorithm).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "guard/limit_rule.h"
#include "guard/own_limits_saved.h"

namespace apiquota::guard {

// What of a sliding window has not come back yet, the oldest first.
struct LimitLog {
  struct Sends {
    int64_t at = 0;  // microseconds; they come back a window after this
    double amount = 0;
  };
  std::vector<Sends> sends;
  size_t gone = 0;  // of the first of these nothing is used any more

  static constexpr size_t kHeapBytes = 32;  // that two allocations take beside what they hold
  size_t bytes() const { return kHeapBytes + sizeof(LimitLog) + sends.capacity() * sizeof(Sends); }
};

// Of one subject. Nothing used: as it is made.
struct LimitUsed {
  double used = 0;                // fixed: in the window
  int64_t at = 0;                 // fixed: its begin (us); gcra: when all will have come back (ns)
  std::unique_ptr<LimitLog> log;  // sliding

  size_t bytes() const { return log ? log->bytes() : 0; }
};

class LimitMeter {
 public:
  static constexpr uint64_t kExactMost = 60;  // of a sliding limit in requests
  static constexpr int64_t kSubWindows = 60;

  explicit LimitMeter(const LimitRule& rule);

  // What a request takes that is expected to use so many tokens.
  double AmountOf(double tokens) const;

  struct Standing {
    double used = 0;
    double remaining = 0;
    Micros reset{};  // until all (fixed) or the next unit is there again; 0: nothing is used
  };
  // Null: nothing is used.
  Standing Stand(const LimitUsed* used, SystemTime now) const;
  // When there is room for it; nothing: now. An amount beyond all that there can ever be, which is a guess,
  // needs all of it; one that is not known (0) needs one, and takes none.
  std::optional<SystemTime> Until(const LimitUsed* used, double amount, SystemTime now) const;

  // Whether there is room or not. Returns what Return is told to name it by.
  int64_t Take(LimitUsed* used, double amount, SystemTime now) const;
  // So much of what was taken at `mark` was not used; of what has come back meanwhile nothing does.
  void Return(LimitUsed* used, int64_t mark, double amount, SystemTime now) const;

  // Nothing is used any more.
  bool Over(const LimitUsed& used, SystemTime now) const;

  SavedUse Save(uint64_t subject, const LimitUsed& used, SystemTime now) const;
  // Nothing can have been used later than now, whatever the clock said when it was saved.
  void Restore(const SavedUse& saved, SystemTime now, LimitUsed* used) const;

  double allowed() const { return allowed_; }  // at most, at any time

 private:
  int64_t Steps(double amount) const;  // gcra: how long, in ns, until it has come back
  int64_t Ahead(const LimitUsed* used, SystemTime now) const;
  std::optional<SystemTime> UntilRoomInLog(const LimitLog& log, double need, SystemTime now) const;

  LimitRule::Algorithm algorithm_;
  LimitRule::Unit unit_;
  double allowed_;
  Micros window_;
  Micros sub_;          // sliding: 0: each is remembered
  double unit_ns_ = 0;  // gcra: whole, rounded up
};

}  // namespace apiquota::guard
