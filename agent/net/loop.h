// One event loop: one io_context, one thread, one timer wheel driven by one tick. Everything that
// hangs on a loop (streams, pools, timers) is touched by its thread alone; other threads only Post.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "net/timer_wheel.h"

namespace boost::asio {
class io_context;
}

namespace apiquota::net {

class Loop {
 public:
  explicit Loop(const Clock& clock);
  ~Loop();  // Stop()
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Start();  // begins running on a thread of its own
  void Stop();   // returns when that thread has ended; work still posted is dropped

  // Runs `work` on the loop's thread, later. The only call other threads may make.
  void Post(std::function<void()> work);

  const Clock& clock() const { return clock_; }
  TimerWheel& timers() { return timers_; }
  boost::asio::io_context& context() { return *context_; }

 private:
  struct Ticker;

  const Clock& clock_;
  TimerWheel timers_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Ticker> ticker_;
  std::thread thread_;
};

}  // namespace apiquota::net
