// One limited thing of a simulated API: how much is left and when it comes back. A fixed window opens with
// the first cost and gives everything back at its end, a whole second; a bucket fills continuously. Pure over
// the `now` it is given, which must not go backwards. Not thread-safe.
#pragma once

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::simulate {

class SimulatedQuota {
 public:
  // Buckets are buckets; every other kind is a fixed window. REQUIRES: limit > 0, window > 0.
  SimulatedQuota(provider::QuotaKind kind, double limit, Micros window);

  double limit() const { return limit_; }
  Micros window() const { return window_; }

  double Remaining(SystemTime now) const;
  // Fixed: the window's end. Bucket: when it will be full.
  SystemTime ResetAt(SystemTime now) const;

  // How long until `cost` can be taken; 0: now. More than the limit never can be: then the time to the reset.
  Micros WaitFor(double cost, SystemTime now) const;
  // REQUIRES: WaitFor(cost, now) is 0.
  void Take(double cost, SystemTime now);

 private:
  bool bucket_;
  double limit_;
  Micros window_;
  double left_;  // at `at_` (bucket), in the window that ends at `at_` (fixed)
  SystemTime at_;
};

}  // namespace apiquota::simulate
