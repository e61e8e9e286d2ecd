// A queue in virtual time, for its tests.
#pragma once

#include <string>
#include <utility>

#include "guard/wait_queue.h"
#include "tests/guard/start.h"

namespace apiquota::guard {

class Queue {
 public:
  Id Push(const std::string& flow, double share = 1.0 / 60, int urgency = 3, bool first = false,
          Micros patience = std::chrono::seconds(600)) {
    Waiter waiter;
    waiter.id = ++last_;
    waiter.flow = flow;
    waiter.urgency = static_cast<uint8_t>(urgency);
    waiter.since = now;
    waiter.deadline = now + patience;
    waiter.tokens.input = share;
    queue.Push(std::move(waiter), share, first, now);
    return last_;
  }
  Id Pop() { return queue.PopHead(now).id; }
  std::string PopFlow() { return queue.PopHead(now).flow; }
  std::string PopFlows(int count) {
    std::string flows;
    for (int i = 0; i < count; ++i) flows += PopFlow();
    return flows;
  }

  WaitQueue queue;
  SystemTime now = kStart;

 private:
  Id last_ = 0;
};

}  // namespace apiquota::guard
