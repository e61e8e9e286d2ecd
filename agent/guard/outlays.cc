#include "guard/outlays.h"

#include <algorithm>
#include <iterator>

namespace apiquota::guard {
namespace {

// More than so many that no reading shows become sums: the API does not speak of this quota any more.
constexpr size_t kAnsweredMax = 1024;
constexpr size_t kFoldMost = 256;
constexpr size_t kFoldsMax = 64;

}  // namespace

void Outlays::Take(Id ticket, double cost, SystemTime logged_at) {
  Outlay& outlay = outlays_[ticket];
  outlay.cost = cost;
  outlay.logged_at = logged_at;
  hidden_open_ += cost;
  reserved_ += cost;
  ++unsettled_;
}

// It is answered from `now` on: readings of later requests show it.
void Outlays::Queue(Id ticket, Outlay* outlay, SystemTime now) {
  outlay->answered_at = now;
  if (outlay->shown) return;
  auto at = answered_.end();
  while (at != answered_.begin() && std::prev(at)->first > now) --at;
  answered_.emplace(at, now, ticket);
  if (answered_.size() > kAnsweredMax) FoldOldest();
}

void Outlays::Answered(Id ticket, SystemTime now) {
  const auto found = outlays_.find(ticket);
  if (found != outlays_.end() && found->second.answered_at == SystemTime::max())
    Queue(ticket, &found->second, now);
}

void Outlays::Settle(Id ticket, double cost, SystemTime now, SystemTime counted_by) {
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end()) return;
  Outlay& outlay = found->second;
  if (!outlay.settled) {
    reserved_ -= outlay.cost;
    --unsettled_;
  }
  const double debt = cost - outlay.cost;
  if (outlay.shown && debt <= 0) {
    outlays_.erase(found);
    return AddUp();
  }
  if (!outlay.shown) SumOf(outlay) -= outlay.cost;
  outlay.cost = outlay.shown ? debt : cost;
  outlay.shown = false;
  outlay.settled = true;
  outlay.later = counted_by > now;
  if (outlay.later) later_.emplace_back(counted_by, ticket);
  SumOf(outlay) += outlay.cost;
  last_settled_ = std::max(last_settled_, counted_by);
  // What was charged at its end is shown by readings of requests sent after that.
  Queue(ticket, &outlay, counted_by);
  AddUp();
}

void Outlays::CountSettled(SystemTime now) {
  for (; SettledLater(now); later_.pop_front()) {
    const auto found = outlays_.find(later_.front().second);
    if (found == outlays_.end()) continue;
    Outlay& outlay = found->second;
    if (!outlay.shown) SumOf(outlay) -= outlay.cost;
    outlay.later = false;
    if (!outlay.shown) SumOf(outlay) += outlay.cost;
  }
}

void Outlays::GiveBack(Id ticket) {
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end()) return;
  Show(found->second);
  if (!found->second.settled) {
    reserved_ -= found->second.cost;
    --unsettled_;
  }
  outlays_.erase(found);
  AddUp();
}

std::optional<Outlays::Open> Outlays::Find(Id ticket) const {
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end() || found->second.settled) return std::nullopt;
  const Outlay& outlay = found->second;
  return Open{outlay.cost, outlay.logged_at, outlay.answered_at != SystemTime::max()};
}

void Outlays::SetLoggedAt(Id ticket, SystemTime at) {
  const auto found = outlays_.find(ticket);
  if (found != outlays_.end()) found->second.logged_at = at;
}

void Outlays::Show(Outlay& outlay) {
  if (outlay.shown) return;
  outlay.shown = true;
  SumOf(outlay) -= outlay.cost;
}

void Outlays::Shown(Id ticket) {
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end()) return;
  Show(found->second);
  if (found->second.settled) outlays_.erase(found);
  AddUp();
}

size_t Outlays::ShownBefore(SystemTime sent_at) {
  size_t shown = 0;
  for (; !folds_.empty() && folds_.front().until <= sent_at; folds_.pop_front()) {
    shown += folds_.front().count;
    hidden_settled_ -= folds_.front().cost;
  }
  for (; !answered_.empty() && answered_.front().first <= sent_at; answered_.pop_front()) {
    const auto found = outlays_.find(answered_.front().second);
    // One that was settled later stands in the queue once more.
    if (found == outlays_.end() || found->second.answered_at > sent_at) continue;
    if (!found->second.shown) ++shown;
    Show(found->second);
    if (found->second.settled) outlays_.erase(found);
  }
  AddUp();
  return shown;
}

void Outlays::FoldOldest() {
  const auto [at, ticket] = answered_.front();
  answered_.pop_front();
  const auto found = outlays_.find(ticket);
  if (found == outlays_.end() || found->second.shown || found->second.answered_at > at) return;
  if (!found->second.settled || found->second.later) {
    answered_.emplace_back(at, ticket);
    return;
  }
  if (folds_.empty() || folds_.back().count >= kFoldMost) folds_.emplace_back();
  Fold& fold = folds_.back();
  fold = {std::max(fold.until, at), fold.cost + found->second.cost, fold.count + 1};
  outlays_.erase(found);
  if (folds_.size() <= kFoldsMax) return;
  const Fold oldest = folds_.front();
  folds_.pop_front();
  folds_.front().cost += oldest.cost;
  folds_.front().count += oldest.count;
}

// Sums of many small steps are set right whenever nothing is left to sum.
void Outlays::AddUp() {
  if (unsettled_ == 0) reserved_ = 0;
  if (outlays_.empty()) hidden_open_ = 0;
  if (outlays_.empty() && folds_.empty()) hidden_settled_ = 0;
}

}  // namespace apiquota::guard
