// One event loop: epoll and one thread, with a timer wheel that one tick drives. Everything that hangs on a
// loop (streams, pools, timers) is touched by its thread alone, or while it does not run; other threads only
// Post.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <thread>

#include "base/clock.h"
#include "base/descriptor.h"
#include "net/timer_wheel.h"

namespace apiquota::net {

// Told what epoll_wait said of a descriptor: EPOLLIN, EPOLLOUT, EPOLLHUP … It may destroy itself and others.
class EventHandler {
 public:
  virtual void OnEvents(uint32_t events) = 0;

 protected:
  ~EventHandler() = default;
};

// Something to be done soon, from the loop and not from inside the call that wants it. Destroying it takes it
// back.
class Deferred : public TimerLink {
 public:
  virtual void OnTurn() = 0;

 protected:
  ~Deferred() { Unlink(); }
};

class Loop {
 public:
  explicit Loop(const Clock& clock);
  ~Loop();  // Stop()
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Start();  // begins running on a thread of its own
  void Stop();   // returns when that thread has ended; work still posted is dropped

  // One turn on the caller's thread, without waiting: what has happened is told, what was deferred is done.
  // False if there was nothing. For whoever drives a loop that was never started (with a clock of its own,
  // say).
  bool Turn();

  // Runs `work` on the loop's thread, later. The only call other threads may make.
  void Post(std::function<void()> work);

  const Clock& clock() const { return clock_; }
  TimerWheel& timers() { return timers_; }

  // Tells `handler` of `events` at `fd` (with EPOLLET: of changes only), until Unwatch; a second call changes
  // them. False if the kernel refuses. `fd` stays the caller's to close, after Unwatch.
  bool Watch(int fd, uint32_t events, EventHandler& handler);
  void Unwatch(int fd, EventHandler& handler);  // it hears nothing more, not even what is known already

  // In the next turn; once, however often it is asked for.
  void Defer(Deferred& deferred) {
    if (!deferred.linked()) deferred.InsertBefore(&deferred_);
  }

 private:
  struct Tick;
  struct Mailbox;

  void Run();
  int TakeTurn(int timeout_ms);
  void RunDeferred();

  const Clock& clock_;
  TimerWheel timers_;
  Descriptor epoll_;
  std::span<epoll_event> batch_;  // of events, being told
  TimerLink deferred_;
  std::unique_ptr<Tick> tick_;
  std::unique_ptr<Mailbox> mailbox_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace apiquota::net
