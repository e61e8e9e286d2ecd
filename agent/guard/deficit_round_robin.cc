#include "guard/deficit_round_robin.h"

#include <algorithm>

namespace apiquota::guard {

void DeficitRoundRobin::Flow::CreditUntil(uint64_t round) {
  if (round <= credited) return;
  deficit += static_cast<Units>(round - credited) * kQuantum;
  credited = round;
}

void DeficitRoundRobin::Add(std::string_view name, Turn* turn) {
  const auto [at, fresh] = flows_.try_emplace(std::string(name));
  Flow& flow = at->second;
  if (fresh) {
    // Its first round is the next one: who has just had a turn gains nothing by coming back at once.
    flow.name = &at->first;
    flow.place = next_number_++;
    flow.credited = round_;
  } else {
    ready_.erase({flow.due, flow.place});
  }
  turn->flow = &flow;
  flow.waiting.emplace(turn->number, turn);
  Place(flow);
}

DeficitRoundRobin::Turn* DeficitRoundRobin::Next() {
  if (ready_.empty()) return nullptr;
  Flow& flow = *ready_.begin()->second;
  round_ = std::max(round_, flow.due);
  flow.CreditUntil(round_);
  return flow.waiting.begin()->second;
}

void DeficitRoundRobin::Remove(Turn* turn, bool served) {
  Flow& flow = *turn->flow;
  turn->flow = nullptr;
  ready_.erase({flow.due, flow.place});
  if (served) flow.deficit -= turn->cost;
  flow.waiting.erase(turn->number);
  if (flow.waiting.empty()) {
    flows_.erase(flows_.find(*flow.name));
  } else {
    Place(flow);
  }
}

void DeficitRoundRobin::Place(Flow& flow) {
  const Units missing = std::max<Units>(flow.waiting.begin()->second->cost - flow.deficit, 0);
  const auto rounds = static_cast<uint64_t>((missing + kQuantum - 1) / kQuantum);
  flow.due = std::max(flow.credited + rounds, round_);
  ready_.emplace(std::pair(flow.due, flow.place), &flow);
}

}  // namespace apiquota::guard
