// Times with their owners, the earliest at the top: 16 bytes each. What has gone is dropped
// when it comes to the top, or when it is more than half, so that leaving costs no search. No thread-safety
// of its own.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/values.h"

namespace apiquota::guard {

class TimeHeap {
 public:
  using At = std::pair<SystemTime, Id>;

  void Push(SystemTime at, Id id) {
    heap_.emplace_back(at, id);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  void Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
  }
  const At* Top() const { return heap_.empty() ? nullptr : &heap_.front(); }
  // After one has gone: `live` are still there, and `holds` tells of which. The top is one of them then.
  template <typename Holds>
  void DropGone(size_t live, const Holds& holds) {
    while (!heap_.empty() && !holds(heap_.front())) Pop();
    if (heap_.size() <= 2 * live + 64) return;
    std::erase_if(heap_, [&holds](const At& at) { return !holds(at); });
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

 private:
  std::vector<At> heap_;
};

}  // namespace apiquota::guard
