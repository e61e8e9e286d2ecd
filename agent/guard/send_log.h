// When what was sent, for quotas of which no more than so much may be used in any window. Exact for some
// thousand sends, then in sub-windows, each as late as its last send: that can only delay. A question takes
// logarithmic time. Pure; no thread-safety of its own.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace apiquota::guard {

class SendLog {
 public:
  // Where it stands from now on: never before what stands there already.
  SystemTime Add(double cost, SystemTime now);
  // What stands at `at` cost so much more, or less.
  void Change(SystemTime at, double by);
  // So much of it was sent later than it was added, if that is worth saying. Where it stands from now on.
  SystemTime Move(SystemTime at, double cost, SystemTime now);

  // With a window (its margin in it) and its limit: the earliest time at which `cost` may be added after
  // `ahead` has been.
  SystemTime EarliestFor(double cost, double ahead, double limit, Micros window, SystemTime now);
  double Total(Micros window, SystemTime now) const;  // of the window until now
  // When so much more has been left behind.
  SystemTime FreeAt(double cost, Micros window) const;
  void Forget(Micros window, SystemTime now);  // what is not in the window any more
  void ForgetUntil(SystemTime at);
  double freed() const { return freed_; }  // what windows have left behind so far
  // The window's sends in sixtieths of it, each as late as its last; and taken up again.
  std::vector<std::pair<SystemTime, double>> Parts(Micros window, SystemTime now);
  void TakeUp(const std::vector<std::pair<SystemTime, double>>& parts);
  bool empty() const { return sends_.empty(); }
  size_t size() const { return sends_.size(); }

 private:
  // All that was sent at one moment, or in one sub-window until then.
  struct Send {
    SystemTime at;
    double upto = 0;  // what was sent ever, with this
  };
  size_t At(SystemTime at) const;  // the one that holds what was sent then; size(): forgotten
  double CostOf(size_t index) const;
  double total() const { return sends_.empty() ? 0 : sends_.back().upto - before_; }
  size_t FreeingIndex(double cost) const;  // of the send with which so much has left; size(): none
  void Thin(Micros part);

  std::deque<Send> sends_;  // in the order of their times, which differ
  double before_ = 0;       // what was sent ever before the first of them
  SystemTime forgotten_ = SystemTime::min();
  double freed_ = 0;
};

}  // namespace apiquota::guard
