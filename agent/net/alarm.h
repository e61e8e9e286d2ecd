// One timer of a loop (a timerfd), exact to the millisecond: for schedules. Deadlines of connections belong
// on the loop's wheel (timer_wheel.h), which is cheaper and coarser. Belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "net/loop.h"

namespace apiquota::net {

class Alarm {
 public:
  Alarm(Loop& loop, std::function<void()> ring);
  ~Alarm();  // it does not ring any more

  // Rings once, not before `delay` has passed; replaces what was set.
  void Set(Micros delay);
  void Cancel();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace apiquota::net
