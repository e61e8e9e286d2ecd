// What own requests have taken of one quota, and which of that its readings do not show yet. Pure; no
// thread-safety of its own.
//
// A reading shows a request that was answered before the reading's own request was sent, and that request
// itself if the API counts it by then. What is under way, or was answered without a reading, is taken off it.
#pragma once

#include <cstddef>
#include <map>

#include "base/clock.h"
#include "guard/values.h"

namespace apiquota::guard {

class Outlays {
 public:
  void Take(Id ticket, double cost);
  void Answered(Id ticket, SystemTime now);
  void Settle(Id ticket, double cost, SystemTime now);
  void SettleAsTaken(Id ticket, SystemTime now);
  void GiveBack(Id ticket);

  // The request's own answer says a level that counts it.
  void Shown(Id ticket);
  // A level was said in answer to a request sent at `sent_at`. How many own requests it shows that the one
  // before did not.
  size_t ShownBefore(SystemTime sent_at);
  // A window ended at `end`, and another began: of it is what was not answered by then.
  void NextWindow(SystemTime end);

  double hidden() const { return hidden_; }      // not in the readings
  // … of those whose answers are complete, and when the last of them was: of a bucket it has come back since.
  double hidden_settled() const { return hidden_settled_; }
  SystemTime last_settled() const { return last_settled_; }
  double reserved() const { return reserved_; }  // not settled
  bool in_flight() const { return unsettled_ != 0; }

 private:
  struct Outlay {
    double cost = 0;
    SystemTime answered_at = SystemTime::max();
    bool settled = false;
    bool shown = false;
  };
  void Show(Outlay& outlay);
  void Count(const Outlay& outlay, double sign);  // in what is hidden
  void AddUp();

  std::map<Id, Outlay> outlays_;
  double hidden_ = 0;
  double hidden_settled_ = 0;
  SystemTime last_settled_{};
  double reserved_ = 0;
  size_t unsettled_ = 0;
};

}  // namespace apiquota::guard
