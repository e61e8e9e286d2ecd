// When what was sent, for quotas of which no more than so much may be used in any window. Exact for some
// thousand sends, then in sub-windows of a sixtieth, each as late as its last send. Pure; no thread-safety of
// its own.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/values.h"

namespace apiquota::guard {

class SendLog {
 public:
  void Add(Id ticket, double cost, SystemTime now);
  void Sent(Id ticket, SystemTime now);  // later than it was added
  void Settle(Id ticket, double cost);
  void Remove(Id ticket);

  // With a window (its margin in it) and its limit: the earliest time at which `cost` may be added after
  // `ahead` has been.
  SystemTime EarliestFor(double cost, double ahead, double limit, Micros window, SystemTime now);
  double Total(Micros window, SystemTime now);  // of the window until now
  // When so much more has been left behind.
  SystemTime FreeAt(double cost, Micros window) const;
  void Forget(Micros window, SystemTime now);  // what is not in the window any more
  double freed() const { return freed_; }      // what windows have left behind so far
  // The window's sends in sixtieths of it, each as late as its last; and taken up again.
  std::vector<std::pair<SystemTime, double>> Parts(Micros window, SystemTime now);
  void TakeUp(const std::vector<std::pair<SystemTime, double>>& parts);
  bool empty() const { return sends_.empty(); }

 private:
  struct Send {
    SystemTime at;
    double cost = 0;
    Id ticket = 0;
  };
  void Thin(Micros window);
  std::deque<Send>::iterator Find(Id ticket);

  std::deque<Send> sends_;  // in the order of their times
  double total_ = 0;
  double freed_ = 0;  // ever
};

}  // namespace apiquota::guard
