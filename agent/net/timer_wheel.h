// Many coarse timeouts for the price of one tick: a hashed wheel of intrusive lists. Arming,
// re-arming and disarming are a few pointer writes, so every read and write may do it. A timer
// never fires early and at most two ticks late. Pure over the `now` it is given; belongs to one
// loop, not thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace apiquota::net {

struct TimerLink {
  TimerLink* previous = this;
  TimerLink* next = this;

  TimerLink() = default;
  TimerLink(const TimerLink&) = delete;
  TimerLink& operator=(const TimerLink&) = delete;
  bool linked() const { return next != this; }
  void Unlink();
  void InsertBefore(TimerLink* position);
};

class Timer;

class TimerHandler {
 public:
  // The timer is disarmed; it may be armed again, and anything may be destroyed, also the timer.
  virtual void OnTimer(Timer& timer) = 0;

 protected:
  ~TimerHandler() = default;
};

class Timer : private TimerLink {
 public:
  explicit Timer(TimerHandler& handler) : handler_(handler) {}
  ~Timer() { Disarm(); }

  void Disarm() { Unlink(); }
  bool armed() const { return linked(); }

 private:
  friend class TimerWheel;
  TimerHandler& handler_;
  uint64_t deadline_tick_ = 0;
};

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{100};

  explicit TimerWheel(SteadyTime now) : start_(now), now_(now) {}

  SteadyTime now() const { return now_; }  // of the last Advance()

  // Replaces an earlier deadline. `delay` counts from the last Advance().
  void Arm(Timer& timer, Micros delay);

  // Fires what is due by `now`.
  void Advance(SteadyTime now);

 private:
  static constexpr size_t kSlots = 512;  // one lap is 51 s; longer timers stay for several laps

  SteadyTime start_;
  SteadyTime now_;
  uint64_t tick_ = 0;
  std::array<TimerLink, kSlots> slots_;
};

}  // namespace apiquota::net
