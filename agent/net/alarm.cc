#include "net/alarm.h"

#include <sys/timerfd.h>

#include <algorithm>

#include "base/descriptor.h"

namespace apiquota::net {

struct Alarm::Impl final : EventHandler, std::enable_shared_from_this<Alarm::Impl> {
  Impl(Loop& owner, std::function<void()> when_due)
      : loop(owner),
        timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
        ring(std::move(when_due)) {
    loop.Watch(timer.get(), EPOLLIN, *this);
  }

  // 0 disarms.
  void SetTimer(Micros delay) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
    itimerspec spec{};
    spec.it_value = {.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(delay - seconds).count()};
    timerfd_settime(timer.get(), 0, &spec, nullptr);
  }

  // Setting or cancelling it takes the expiry back, so a read that finds none is out of date.
  void OnEvents(uint32_t) override {
    uint64_t expiries = 0;
    if (::read(timer.get(), &expiries, sizeof expiries) <= 0) return;
    const auto self = shared_from_this();  // ringing may destroy the alarm
    ring();
  }

  Loop& loop;
  Descriptor timer;
  std::function<void()> ring;
};

Alarm::Alarm(Loop& loop, std::function<void()> ring) : impl_(std::make_shared<Impl>(loop, std::move(ring))) {}

Alarm::~Alarm() { impl_->loop.Unwatch(impl_->timer.get(), *impl_); }

void Alarm::Set(Micros delay) { impl_->SetTimer(std::max(delay, Micros(1))); }
void Alarm::Cancel() { impl_->SetTimer(Micros(0)); }

}  // namespace apiquota::net
