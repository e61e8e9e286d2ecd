#include "guard/wait_queue.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "guard/deficit_round_robin.h"
#include "guard/time_heap.h"

namespace apiquota::guard {

namespace {

using Turns = DeficitRoundRobin;

constexpr Micros kLiftAfter = std::chrono::seconds(5);

// Tiers in the order they are served in.
constexpr size_t kFirst = 0;
constexpr size_t kLifted = 1;
constexpr size_t kPlain = 2;  // and the seven after it, by urgency
constexpr size_t kTiers = 10;

struct Entry : Turns::Turn {
  Waiter waiter;
  uint8_t tier = 0;  // that it is in, or comes into when it has rested
  bool rests = false;
};

SystemTime LiftAt(const Waiter& waiter) {
  const Micros patience = std::max(waiter.deadline - waiter.since, Micros(0));
  return waiter.since + std::min(patience / 2, kLiftAfter);
}

Turns::Units CostOf(double share) {
  const double units = std::ceil(share * static_cast<double>(Turns::kQuota));
  if (!(units >= 1)) return 1;  // or no number
  return static_cast<Turns::Units>(std::min(units, static_cast<double>(Turns::kLargestCost)));
}

}  // namespace

struct WaitQueue::State {
  std::unordered_map<Id, Entry> entries;
  std::array<Turns, kTiers> tiers;
  std::array<TimeHeap, kTiers> lifts;  // of the plain tiers
  TimeHeap deadlines, arrivals, rests;
  Entry* first = nullptr;         // whose turn was told, among those that go first …
  Entry* turn = nullptr;          // … and among all others
  Turns::Units lifted_ahead = 0;  // what the lifted have had more than the plain while both waited
  uint64_t next_number = 0;
  TokenCost tokens;

  const Entry* Find(Id id) const {
    const auto at = entries.find(id);
    return at == entries.end() ? nullptr : &at->second;
  }
  size_t Top() const {  // the most urgent plain tier that holds anybody
    size_t tier = kPlain;
    while (tier < kTiers && tiers[tier].empty()) ++tier;
    return tier;
  }
  void Enter(Entry* entry);
  void Wake(SystemTime now);
  void Lift(size_t top, SystemTime now);
  Entry* Pick(SystemTime now);
  Waiter Take(Entry* entry, bool served);
  void DropGone(size_t tier);
};

void WaitQueue::State::Enter(Entry* entry) {
  entry->rests = false;
  tiers[entry->tier].Add(entry->waiter.flow, entry);
  if (entry->tier != kFirst) lifts[entry->tier].Push(LiftAt(entry->waiter), entry->waiter.id);
}

void WaitQueue::State::Wake(SystemTime now) {
  while (rests.Top() != nullptr && rests.Top()->first <= now) {
    const auto at = entries.find(rests.Top()->second);
    rests.Pop();
    if (at != entries.end() && at->second.rests) Enter(&at->second);
  }
}

// Only those that more urgent ones can pass: among equals turns are fair as they are, and a caller with a
// long backlog would gain by it.
void WaitQueue::State::Lift(size_t top, SystemTime now) {
  for (size_t tier = top + 1; tier < kTiers; ++tier) {
    TimeHeap& due = lifts[tier];
    while (due.Top() != nullptr && due.Top()->first <= now) {
      const auto at = entries.find(due.Top()->second);
      due.Pop();
      if (at == entries.end() || at->second.tier != tier) continue;
      tiers[tier].Remove(&at->second, false);
      at->second.tier = kLifted;
      tiers[kLifted].Add(at->second.waiter.flow, &at->second);
    }
  }
}

Entry* WaitQueue::State::Pick(SystemTime now) {
  Wake(now);
  if (!tiers[kFirst].empty()) {
    if (first == nullptr) first = static_cast<Entry*>(tiers[kFirst].Next());
    return first;
  }
  if (turn != nullptr) return turn;
  const size_t top = Top();
  Lift(top, now);
  const bool lifted = !tiers[kLifted].empty();
  const bool plain = top < kTiers;
  if (!lifted && !plain) return nullptr;
  if (!lifted || !plain) lifted_ahead = 0;
  turn = static_cast<Entry*>(tiers[lifted && (!plain || lifted_ahead <= 0) ? kLifted : top].Next());
  return turn;
}

Waiter WaitQueue::State::Take(Entry* entry, bool served) {
  const size_t tier = entry->tier;
  if (!entry->rests) tiers[tier].Remove(entry, served);
  if (served && tier != kFirst) lifted_ahead += tier == kLifted ? entry->cost : -entry->cost;
  if (entry == first) first = nullptr;
  if (entry == turn) turn = nullptr;
  Waiter waiter = std::move(entry->waiter);
  entries.erase(waiter.id);
  tokens.input -= waiter.tokens.input;
  tokens.output -= waiter.tokens.output;
  tokens.counted -= waiter.tokens.counted;
  if (entries.empty()) tokens = {};
  DropGone(tier);
  return waiter;
}

// An id may come back with other times: what was said of it before is gone, too.
void WaitQueue::State::DropGone(size_t tier) {
  const size_t live = entries.size();
  deadlines.DropGone(live, [this](const TimeHeap::At& at) {
    const Entry* held = Find(at.second);
    return held != nullptr && held->waiter.deadline == at.first;
  });
  arrivals.DropGone(live, [this](const TimeHeap::At& at) {
    const Entry* held = Find(at.second);
    return held != nullptr && held->waiter.since == at.first;
  });
  lifts[tier].DropGone(live, [this, tier](const TimeHeap::At& at) {
    const Entry* held = Find(at.second);
    return held != nullptr && held->tier == tier;
  });
  rests.DropGone(live, [this](const TimeHeap::At& at) {
    const Entry* held = Find(at.second);
    return held != nullptr && held->waiter.not_before == at.first;
  });
}

Request Waiter::AsRequest() const {
  Request request;
  request.resource = resource;
  request.route = route;
  request.flow = flow;
  request.urgency = urgency;
  request.tokens = tokens;
  request.capped = capped;
  request.charged_at_start = charged_at_start;
  request.text_bytes = text_bytes;
  request.deadline = deadline;
  request.not_before = not_before;
  request.again = again;
  request.home = home;
  return request;
}

WaitQueue::WaitQueue() : state_(std::make_unique<State>()) {}
WaitQueue::~WaitQueue() = default;
WaitQueue::WaitQueue(WaitQueue&&) noexcept = default;
WaitQueue& WaitQueue::operator=(WaitQueue&&) noexcept = default;

void WaitQueue::Push(Waiter waiter, double share, bool first, SystemTime now) {
  State& state = *state_;
  if (waiter.since == SystemTime{}) waiter.since = now;
  const Id id = waiter.id;
  const auto [at, fresh] = state.entries.try_emplace(id);
  if (!fresh) return;
  Entry& entry = at->second;
  entry.cost = CostOf(share);
  entry.number = state.next_number++;
  entry.tier = static_cast<uint8_t>(first ? kFirst : kPlain + std::min<size_t>(waiter.urgency, 7));
  entry.waiter = std::move(waiter);
  entry.waiter.again = first;
  if (entry.waiter.not_before > now) {
    entry.rests = true;
    state.rests.Push(entry.waiter.not_before, id);
  } else {
    state.Enter(&entry);
  }
  state.deadlines.Push(entry.waiter.deadline, id);
  state.arrivals.Push(entry.waiter.since, id);
  state.tokens.input += entry.waiter.tokens.input;
  state.tokens.output += entry.waiter.tokens.output;
  state.tokens.counted += entry.waiter.tokens.counted;
}

Waiter* WaitQueue::Head(SystemTime now) {
  Entry* entry = state_->Pick(now);
  return entry == nullptr ? nullptr : &entry->waiter;
}

Waiter WaitQueue::PopHead(SystemTime now) {
  Entry* entry = state_->Pick(now);
  return entry == nullptr ? Waiter{} : state_->Take(entry, true);
}

std::optional<Waiter> WaitQueue::Remove(Id id) {
  const auto at = state_->entries.find(id);
  if (at == state_->entries.end()) return std::nullopt;
  return state_->Take(&at->second, false);
}

std::vector<Waiter> WaitQueue::TakeExpired(SystemTime now) {
  std::vector<Waiter> expired;
  const TimeHeap& deadlines = state_->deadlines;
  while (deadlines.Top() != nullptr && deadlines.Top()->first <= now) {
    expired.push_back(state_->Take(&state_->entries.at(deadlines.Top()->second), false));
  }
  return expired;
}

size_t WaitQueue::size() const { return state_->entries.size(); }

std::optional<SystemTime> WaitQueue::NextDeadline() const {
  const TimeHeap::At* top = state_->deadlines.Top();
  return top == nullptr ? std::nullopt : std::optional(top->first);
}

std::optional<SystemTime> WaitQueue::Oldest() const {
  const TimeHeap::At* top = state_->arrivals.Top();
  return top == nullptr ? std::nullopt : std::optional(top->first);
}

std::optional<SystemTime> WaitQueue::NextRested() const {
  const TimeHeap::At* top = state_->rests.Top();
  return top == nullptr ? std::nullopt : std::optional(top->first);
}

TokenCost WaitQueue::tokens_waiting() const { return state_->tokens; }

}  // namespace apiquota::guard
