// When what was sent, for quotas of which no more than so much may be used in any window. Exact for some
// thousand sends, then in sub-windows, each as late as its last send: that can only delay. A question takes
// logarithmic time and changes nothing. Pure; no thread-safety of its own.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace apiquota::guard {

class SendLog {
 public:
  // Where it stands from now on: never before what is forgotten.
  SystemTime Add(double cost, SystemTime at);
  // What stands at `at` cost so much more, or less.
  void Change(SystemTime at, double by);
  // So much of it was sent later than it was added, if that is worth saying. Where it stands from now on.
  SystemTime Move(SystemTime at, double cost, SystemTime now);

  // With a window (its margin in it) and its limit: the earliest time at which `cost` may be added after
  // `ahead` has been.
  SystemTime EarliestFor(double cost, double ahead, double limit, Micros window, SystemTime now) const;
  double Total(Micros window, SystemTime now) const;  // of the window until now
  // When so much more will have left the window than now.
  SystemTime FreeAt(double cost, Micros window, SystemTime now) const;
  // What has left the window so far; meant for differences.
  double Freed(Micros window, SystemTime now) const { return UptoBefore(FirstIn(window, now)); }

  // What was sent longer ago than `kept` is not asked for any more; thousands within it become sub-windows of
  // `window`.
  void Forget(Micros kept, Micros window, SystemTime now);
  void ForgetUntil(SystemTime at);
  // The window's sends in sixtieths of it, each as late as its last; and taken up again.
  std::vector<std::pair<SystemTime, double>> Parts(Micros window, SystemTime now) const;
  void TakeUp(const std::vector<std::pair<SystemTime, double>>& parts);
  size_t size() const { return sends_.size(); }

 private:
  // All that was sent at one moment, or in one sub-window until then.
  struct Send {
    SystemTime at;
    double upto = 0;  // what was sent ever, with this
  };
  size_t At(SystemTime at) const;                       // holds what was sent then; size(): forgotten
  size_t FirstIn(Micros window, SystemTime now) const;  // that is in the window
  double UptoBefore(size_t index) const { return index == 0 ? before_ : sends_[index - 1].upto; }
  double CostOf(size_t index) const { return sends_[index].upto - UptoBefore(index); }
  double total() const { return sends_.empty() ? before_ : sends_.back().upto; }
  size_t Reaching(double upto) const;  // the first with which so much was sent; size(): none
  void Thin(Micros part);

  std::deque<Send> sends_;  // in the order of their times, which differ
  double before_ = 0;       // what was sent ever before the first of them
  SystemTime forgotten_ = SystemTime::min();
};

}  // namespace apiquota::guard
