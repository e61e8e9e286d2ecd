// What own requests have taken of one quota, and which of that its readings do not show yet. Pure; no
// thread-safety of its own. Every call takes constant time, over the life of a request.
//
// A reading shows a request that was answered before the reading's own request was sent, and that request
// itself if the API counts it by then. What is under way, or was answered without a reading, is taken off it.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "guard/values.h"

namespace apiquota::guard {

class Outlays {
 public:
  // `logged_at`: where it stands in a log of sends; kept for its owner.
  void Take(Id ticket, double cost, SystemTime logged_at);
  void Answered(Id ticket, SystemTime now);
  // What it really cost. More than a reading that shows it knew of is hidden once more: debt.
  // What the API counts as late as at `counted_by` is under way until then.
  void Settle(Id ticket, double cost, SystemTime now, SystemTime counted_by);
  // By when the first of those that are not counted yet is, if by now.
  std::optional<SystemTime> SettledLater(SystemTime now) const {
    return later_.empty() || later_.front().first > now ? std::nullopt : std::optional(later_.front().first);
  }
  void CountSettled(SystemTime now);
  void GiveBack(Id ticket);

  // One that is not settled; nothing: it is, or is not known.
  struct Open {
    double cost = 0;
    SystemTime logged_at;
    bool answered = false;
  };
  std::optional<Open> Find(Id ticket) const;
  void SetLoggedAt(Id ticket, SystemTime at);

  // The request's own answer says a level that counts it.
  void Shown(Id ticket);
  // A level was said in answer to a request sent at `sent_at`. How many own requests it shows that the one
  // before did not.
  size_t ShownBefore(SystemTime sent_at);
  // A window ended at `end`, and another began: of it is what was not answered by then.
  void NextWindow(SystemTime end) { ShownBefore(end - Micros(1)); }

  double hidden() const { return hidden_open_ + hidden_settled_; }  // not in the readings
  // … of those whose answers are complete, and when the last of them was: of a bucket it comes back since.
  double hidden_settled() const { return hidden_settled_; }
  SystemTime last_settled() const { return last_settled_; }
  double reserved() const { return reserved_; }  // not settled
  bool in_flight() const { return unsettled_ != 0; }

 private:
  struct Outlay {
    double cost = 0;
    SystemTime logged_at;
    SystemTime answered_at = SystemTime::max();
    bool settled = false;
    bool later = false;  // settled, and the API may count it yet
    bool shown = false;
  };
  double& SumOf(const Outlay& outlay) {
    return outlay.settled && !outlay.later ? hidden_settled_ : hidden_open_;
  }
  void Show(Outlay& outlay);
  void Queue(Id ticket, Outlay* outlay, SystemTime now);
  void FoldOldest();
  void AddUp();

  std::unordered_map<Id, Outlay> outlays_;
  std::deque<std::pair<SystemTime, Id>> answered_;  // in that order, until a reading shows them
  std::deque<std::pair<SystemTime, Id>> later_;
  // Those of which no reading has told for long: some hundreds as if answered with the last of them.
  struct Fold {
    SystemTime until;
    double cost = 0;
    size_t count = 0;
  };
  std::deque<Fold> folds_;

  double hidden_open_ = 0;
  double hidden_settled_ = 0;
  SystemTime last_settled_{};
  double reserved_ = 0;
  size_t unsettled_ = 0;
};

}  // namespace apiquota::guard
