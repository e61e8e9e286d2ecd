#include "net/timer_wheel.h"

namespace apiquota::net {

void TimerLink::Unlink() {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

void TimerLink::InsertBefore(TimerLink* position) {
  previous = position->previous;
  next = position;
  previous->next = this;
  position->previous = this;
}

void TimerWheel::Arm(Timer& timer, Micros delay) {
  timer.Unlink();
  // One more than the delay needs: part of the current tick has passed already.
  const auto ticks = static_cast<uint64_t>(delay.count() < 0 ? 0 : (delay + kTick - Micros(1)) / kTick) + 1;
  timer.deadline_tick_ = tick_ + ticks;
  timer.InsertBefore(&slots_[timer.deadline_tick_ % kSlots]);
}

void TimerWheel::Advance(SteadyTime now) {
  now_ = now;
  const auto target = now <= start_ ? 0 : static_cast<uint64_t>((now - start_) / kTick);
  while (tick_ < target) {
    ++tick_;
    TimerLink due;
    TimerLink& slot = slots_[tick_ % kSlots];
    for (TimerLink* link = slot.next; link != &slot;) {
      TimerLink* const next = link->next;
      if (static_cast<Timer*>(link)->deadline_tick_ <= tick_) {
        link->Unlink();
        link->InsertBefore(&due);
      }
      link = next;
    }
    // Handlers may disarm or destroy each other's timers: always take the first that is left.
    while (due.linked()) {
      auto* timer = static_cast<Timer*>(due.next);
      timer->Unlink();
      timer->handler_.OnTimer(*timer);
    }
  }
}

}  // namespace apiquota::net
