// A clock that stands still where a test puts it.
#pragma once

#include "base/clock.h"

namespace apiquota {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(SystemTime now) : now_(now) {}
  SystemTime SystemNow() const override { return now_; }
  SteadyTime SteadyNow() const override { return SteadyTime(now_.time_since_epoch()); }

 private:
  SystemTime now_;
};

}  // namespace apiquota
