// The machine's clock, put forward by a test. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace apiquota::net {

class MovedClock final : public Clock {
 public:
  SystemTime SystemNow() const override { return RealClock().SystemNow() + moved(); }
  SteadyTime SteadyNow() const override { return RealClock().SteadyNow() + moved(); }
  void Pass(Micros time) { moved_ += time.count(); }

 private:
  Micros moved() const { return Micros(moved_.load()); }
  std::atomic<int64_t> moved_{0};
};

}  // namespace apiquota::net
