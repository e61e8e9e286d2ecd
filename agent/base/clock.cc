#include "base/clock.h"

#include <time.h>

#include <algorithm>
#include <cmath>

namespace apiquota {
namespace {

class MachineClock final : public Clock {
 public:
  SystemTime SystemNow() const override {
    return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  }
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
  RunningTime RunningNow() const override {
    const SystemTime at = began_ + (SinceBoot() - booted_);
    // Two clocks are never read at once: below what anyone can tell there is no difference.
    return {at, std::chrono::round<Hundredths>(SystemNow() - at)};
  }

 private:
  using Hundredths = std::chrono::duration<int64_t, std::centi>;

  static Micros SinceBoot() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds(time.tv_sec) +
           std::chrono::duration_cast<Micros>(std::chrono::nanoseconds(time.tv_nsec));
  }

  const SystemTime began_ = SystemNow();
  const Micros booted_ = SinceBoot();
};

constexpr double kYear9999 = 253402300799.0;
constexpr double kCentury = 100 * 365.25 * 86400;

}  // namespace

const Clock& RealClock() {
  static const MachineClock clock;
  return clock;
}

double ToUnixSeconds(SystemTime t) { return static_cast<double>(t.time_since_epoch().count()) / 1e6; }

std::optional<SystemTime> FromUnixSeconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kYear9999) return std::nullopt;
  return SystemTime(Micros(std::llround(seconds * 1e6)));
}

Micros SecondsToMicros(double seconds) {
  if (std::isnan(seconds)) return Micros(0);
  return Micros(std::llround(std::clamp(seconds, -kCentury, kCentury) * 1e6));
}

}  // namespace apiquota
