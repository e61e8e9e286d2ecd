// Fair turns over flows (deficit round robin: Shreedhar and Varghese, 1996; docs/guard.md, "The queue"). Each
// round adds a quantum to what a flow may take, and its head goes when that covers its cost. Rounds in which
// nobody could go are counted and not walked, so that the quantum may be small beside the costs: flows
// alternate request by request, whatever these cost. Every call takes logarithmic time. Holds no turn: they
// stay where they are while they are in it. No thread-safety of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace apiquota::guard {

class DeficitRoundRobin {
 public:
  // Costs are whole numbers, so that their sums have no rounding: a billionth of a quota each.
  using Units = int64_t;
  static constexpr Units kQuota = 1'000'000'000;
  static constexpr Units kQuantum = kQuota / 1'000'000;
  static constexpr Units kLargestCost = kQuota * 1'000'000;

  struct Flow;
  struct Turn {
    Units cost = 1;       // 1 to kLargestCost
    uint64_t number = 0;  // of one flow the smaller goes first; no two have the same
    Flow* flow = nullptr;
  };

  bool empty() const { return ready_.empty(); }
  void Add(std::string_view flow, Turn* turn);
  // Whose turn it is; null: nobody is there. Another may be told after the next Add or Remove.
  Turn* Next();
  // `served`: it goes, and its flow pays for it.
  void Remove(Turn* turn, bool served);

 private:
  void Place(Flow& flow);

  uint64_t round_ = 0;
  uint64_t next_number_ = 0;
  std::unordered_map<std::string, Flow> flows_;
  std::map<std::pair<uint64_t, uint64_t>, Flow*>
      ready_;  // by the round in which their head can go, and place
};

// Those of one flow that wait.
struct DeficitRoundRobin::Flow {
  const std::string* name = nullptr;
  uint64_t place = 0;                 // in each round
  uint64_t due = 0;                   // the round in which its head can go
  uint64_t credited = 0;              // up to and with this round
  Units deficit = 0;                  // what it may take and has not
  std::map<uint64_t, Turn*> waiting;  // by their numbers

  void CreditUntil(uint64_t round);
};

}  // namespace apiquota::guard
