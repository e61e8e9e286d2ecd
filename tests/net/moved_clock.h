// The machine's clock, put forward or stopped by a test. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace apiquota::net {

class MovedClock final : public Clock {
 public:
  SystemTime SystemNow() const override { return RealClock().SystemNow() + moved(); }
  SteadyTime SteadyNow() const override {
    const SteadyTime stopped = stopped_at_;
    return (stopped == SteadyTime() ? RealClock().SteadyNow() : stopped) + moved();
  }
  void Pass(Micros time) { moved_ += time.count(); }
  void StopSteady() { stopped_at_ = RealClock().SteadyNow(); }

 private:
  Micros moved() const { return Micros(moved_.load()); }
  std::atomic<int64_t> moved_{0};
  std::atomic<SteadyTime> stopped_at_{};
};

}  // namespace apiquota::net
