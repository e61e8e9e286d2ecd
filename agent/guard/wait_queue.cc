#include "guard/wait_queue.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "guard/time_heap.h"

namespace apiquota::guard {

namespace {

// Costs are whole numbers, so that sums of them have no rounding: a billionth of the quota each.
using Units = int64_t;
constexpr double kUnitsOfAQuota = 1e9;
constexpr Units kLargestCost = 1'000'000'000'000'000;  // a million quotas
constexpr Units kQuantum = static_cast<Units>(WaitQueue::kQuantum * kUnitsOfAQuota);

constexpr Micros kLiftAfter = std::chrono::seconds(5);

// Tiers in the order they are served in.
constexpr size_t kFirst = 0;
constexpr size_t kLifted = 1;
constexpr size_t kPlain = 2;  // and the seven after it, by urgency
constexpr size_t kTiers = 10;

struct Flow;

struct Entry {
  Waiter waiter;
  Units cost = 0;
  uint64_t number = 0;  // in the order they came
  SystemTime lift_at;
  uint8_t tier = 0;
  Flow* flow = nullptr;
};

// Whose requests take turns: one caller's in one tier.
struct Flow {
  const std::string* name = nullptr;
  uint64_t number = 0;    // its place in each round
  uint64_t due = 0;       // the round in which its head can go
  uint64_t credited = 0;  // up to and with this round
  Units deficit = 0;
  std::map<uint64_t, Entry*> waiting;  // by the entries' numbers
};

// Deficit round robin. Rounds in which nobody could go are counted and not walked, so that the quantum may be
// small beside the costs.
class Tier {
 public:
  bool empty() const { return ready_.empty(); }

  void Add(Entry* entry) {
    auto [at, fresh] = flows_.try_emplace(entry->waiter.flow);
    Flow& flow = at->second;
    if (fresh) {
      flow.name = &at->first;
      flow.number = next_number_++;
      flow.credited = round_;
    } else {
      ready_.erase({flow.due, flow.number});
    }
    entry->flow = &flow;
    flow.waiting.emplace(entry->number, entry);
    Place(flow);
  }

  // `served`: it goes, and its flow has paid for it.
  void Remove(Entry* entry, bool served) {
    Flow& flow = *entry->flow;
    ready_.erase({flow.due, flow.number});
    if (served) {
      Credit(flow, std::max(flow.due, round_));
      flow.deficit -= entry->cost;
    }
    flow.waiting.erase(entry->number);
    entry->flow = nullptr;
    if (flow.waiting.empty()) {
      flows_.erase(flows_.find(*flow.name));
    } else {
      Place(flow);
    }
  }

  // The one whose turn it is: its round has come.
  Entry* Next() {
    if (ready_.empty()) return nullptr;
    Flow& flow = *ready_.begin()->second;
    round_ = std::max(round_, flow.due);
    Credit(flow, round_);
    return flow.waiting.begin()->second;
  }

 private:
  static void Credit(Flow& flow, uint64_t round) {
    if (round <= flow.credited) return;
    flow.deficit += static_cast<Units>(round - flow.credited) * kQuantum;
    flow.credited = round;
  }

  void Place(Flow& flow) {
    const Units missing = flow.waiting.begin()->second->cost - flow.deficit;
    const auto rounds = static_cast<uint64_t>(missing <= 0 ? 0 : (missing + kQuantum - 1) / kQuantum);
    flow.due = std::max(flow.credited + rounds, round_);
    ready_.emplace(std::pair(flow.due, flow.number), &flow);
  }

  uint64_t round_ = 0;
  uint64_t next_number_ = 0;
  std::unordered_map<std::string, Flow> flows_;
  std::map<std::pair<uint64_t, uint64_t>, Flow*> ready_;
};

SystemTime LiftAt(const Waiter& waiter) {
  const Micros patience = std::max(waiter.deadline - waiter.since, Micros(0));
  return waiter.since + std::min(patience / 2, kLiftAfter);
}

}  // namespace

struct WaitQueue::State {
  std::unordered_map<Id, Entry> entries;
  std::array<Tier, kTiers> tiers;
  std::array<TimeHeap, kTiers> lifts;  // of the plain tiers
  TimeHeap deadlines, arrivals;
  Entry* first = nullptr;  // whose turn was told, among those that go first …
  Entry* turn = nullptr;   // … and among all others
  Units lifted_ahead = 0;  // what the lifted have had more than the plain while both waited
  uint64_t next_number = 0;
  TokenCost tokens;

  size_t Top() const {  // the most urgent plain tier that holds anybody
    size_t tier = kPlain;
    while (tier < kTiers && tiers[tier].empty()) ++tier;
    return tier;
  }
  void Lift(size_t top, SystemTime now);
  Entry* Pick(SystemTime now);
  Waiter Take(Entry* entry, bool served);
};

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
      tiers[kLifted].Add(&at->second);
    }
  }
}

Entry* WaitQueue::State::Pick(SystemTime now) {
  if (!tiers[kFirst].empty()) {
    if (first == nullptr) first = tiers[kFirst].Next();
    return first;
  }
  if (turn != nullptr) return turn;
  const size_t top = Top();
  Lift(top, now);
  const bool lifted = !tiers[kLifted].empty();
  const bool plain = top < kTiers;
  if (!lifted && !plain) return nullptr;
  if (!lifted || !plain) lifted_ahead = 0;
  turn = tiers[lifted && (!plain || lifted_ahead <= 0) ? kLifted : top].Next();
  return turn;
}

Waiter WaitQueue::State::Take(Entry* entry, bool served) {
  tiers[entry->tier].Remove(entry, served);
  if (served && entry->tier != kFirst) lifted_ahead += entry->tier == kLifted ? entry->cost : -entry->cost;
  if (entry == first) first = nullptr;
  if (entry == turn) turn = nullptr;
  Waiter waiter = std::move(entry->waiter);
  const size_t tier = entry->tier;
  entries.erase(waiter.id);
  tokens.input -= waiter.tokens.input;
  tokens.output -= waiter.tokens.output;
  tokens.counted -= waiter.tokens.counted;
  if (entries.empty()) tokens = {};
  const auto find = [this](Id id) -> const Entry* {
    const auto at = entries.find(id);
    return at == entries.end() ? nullptr : &at->second;
  };
  const auto same_deadline = [&find](const TimeHeap::At& at) {
    const Entry* held = find(at.second);
    return held != nullptr && held->waiter.deadline == at.first;
  };
  const auto same_arrival = [&find](const TimeHeap::At& at) {
    const Entry* held = find(at.second);
    return held != nullptr && held->waiter.since == at.first;
  };
  deadlines.DropGone(entries.size(), same_deadline);
  arrivals.DropGone(entries.size(), same_arrival);
  lifts[tier].DropGone(entries.size(), [&find, tier](const TimeHeap::At& at) {
    const Entry* held = find(at.second);
    return held != nullptr && held->tier == tier;
  });
  return waiter;
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
  const double units = std::ceil(share * kUnitsOfAQuota);  // of nonsense: the least
  entry.cost = units >= 1 ? static_cast<Units>(std::min(units, static_cast<double>(kLargestCost))) : 1;
  entry.number = state.next_number++;
  entry.tier = static_cast<uint8_t>(first ? kFirst : kPlain + std::min<size_t>(waiter.urgency, 7));
  entry.waiter = std::move(waiter);
  state.tiers[entry.tier].Add(&entry);
  if (!first) state.lifts[entry.tier].Push(LiftAt(entry.waiter), id);
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

TokenCost WaitQueue::tokens_waiting() const { return state_->tokens; }

}  // namespace apiquota::guard
