// The two clocks, injected. System time is what people and providers speak (resets, Date); steady
// time measures how long something took. What must do both at once (a reading holds for its window, and its
// end is shown) is kept in running time, which no step of the system clock moves. Pure rooms never hold a
// Clock: they get `now` as a parameter. Only clock.cc may read a real clock (tests/lint).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace apiquota {

using Micros = std::chrono::microseconds;
using SystemTime = std::chrono::sys_time<Micros>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// A moment in running time: system time as it was when the process began, running on through steps of the
// system clock and through suspension; and how far the system clock is ahead of it by now.
struct RunningTime {
  SystemTime at;
  Micros system_ahead{};
};

// Thread-safe: implementations may be asked from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime SystemNow() const = 0;
  virtual SteadyTime SteadyNow() const = 0;
  virtual RunningTime RunningNow() const { return {SystemNow()}; }
};

// The machine's clocks; lives as long as the process.
const Clock& RealClock();

// Seconds since the epoch with microsecond precision; the unit of `_timestamp_seconds` metrics.
double ToUnixSeconds(SystemTime t);

// Nothing when `seconds` is not finite or lies outside years 1970 to 9999.
std::optional<SystemTime> FromUnixSeconds(double seconds);

// Rounded to the microsecond; beyond ±100 years, the bound; not a number is 0.
Micros SecondsToMicros(double seconds);
inline double ToSeconds(Micros d) { return static_cast<double>(d.count()) / 1e6; }
inline double ToSeconds(std::chrono::nanoseconds d) { return static_cast<double>(d.count()) / 1e9; }

}  // namespace apiquota
