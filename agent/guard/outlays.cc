#include "guard/outlays.h"

#include <algorithm>

namespace apiquota::guard {
namespace {

// More than so many that no reading shows are one sum: the API does not speak of this quota any more.
constexpr size_t kKeptMax = 10'000;

}  // namespace

void Outlays::Count(const Outlay& outlay, double sign) {
  if (outlay.shown) return;
  hidden_ += sign * outlay.cost;
  if (outlay.settled) hidden_settled_ += sign * outlay.cost;
}

void Outlays::Take(Id ticket, double cost) {
  if (outlays_.size() >= kKeptMax) {
    const auto oldest = std::ranges::find_if(outlays_, [](const auto& each) { return each.second.settled; });
    if (oldest != outlays_.end()) {
      Count(oldest->second, -1);
      outlays_.erase(oldest);
    }
  }
  outlays_[ticket].cost = cost;
  hidden_ += cost;
  reserved_ += cost;
  ++unsettled_;
}

void Outlays::Answered(Id ticket, SystemTime now) {
  const auto found = outlays_.find(ticket);
  if (found != outlays_.end()) found->second.answered_at = std::min(found->second.answered_at, now);
}

void Outlays::Settle(Id ticket, double cost, SystemTime now) {
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end()) return;
  Outlay& outlay = found->second;
  if (!outlay.settled) {
    reserved_ -= outlay.cost;
    --unsettled_;
  }
  Count(outlay, -1);
  const double more = cost - outlay.cost;
  const bool shown = outlay.shown;
  // Debt: more than the reading knew of, until a later one says the level itself. What was charged at its end
  // is shown by readings of requests sent after that.
  outlay = {.cost = shown ? more : cost, .answered_at = now, .settled = true, .shown = false};
  if (shown && more <= 0) {
    outlays_.erase(found);
  } else {
    Count(outlay, 1);
    last_settled_ = std::max(last_settled_, now);
  }
  AddUp();
}

void Outlays::SettleAsTaken(Id ticket, SystemTime now) {
  const auto found = outlays_.find(ticket);
  if (found != outlays_.end()) Settle(ticket, found->second.cost, now);
}

void Outlays::GiveBack(Id ticket) {
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end()) return;
  Outlay& outlay = found->second;
  Count(outlay, -1);
  if (!outlay.settled) {
    reserved_ -= outlay.cost;
    --unsettled_;
  }
  outlays_.erase(found);
  AddUp();
}

void Outlays::Show(Outlay& outlay) {
  Count(outlay, -1);
  outlay.shown = true;
}

void Outlays::Shown(Id ticket) {
  const auto found = outlays_.find(ticket);
  if (found != outlays_.end()) Show(found->second);
}

size_t Outlays::ShownBefore(SystemTime sent_at) {
  size_t shown = 0;
  for (auto it = outlays_.begin(); it != outlays_.end();) {
    Outlay& outlay = it->second;
    if (outlay.answered_at <= sent_at && !outlay.shown) {
      Show(outlay);
      ++shown;
    }
    it = outlay.shown && outlay.settled ? outlays_.erase(it) : std::next(it);
  }
  AddUp();
  return shown;
}

void Outlays::NextWindow(SystemTime end) {
  for (auto it = outlays_.begin(); it != outlays_.end();) {
    Outlay& outlay = it->second;
    if (outlay.answered_at < end) Show(outlay);
    it = outlay.shown && outlay.settled ? outlays_.erase(it) : std::next(it);
  }
  AddUp();
}

// Sums of many small steps are set right whenever nothing is left to sum.
void Outlays::AddUp() {
  if (unsettled_ == 0) reserved_ = 0;
  if (outlays_.empty()) hidden_ = hidden_settled_ = 0;
}

}  // namespace apiquota::guard
