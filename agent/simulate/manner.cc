#include "simulate/manner.h"

#include <algorithm>
#include <cmath>

namespace apiquota::simulate {
namespace {

using std::chrono::seconds;

Micros Rounded(ResetRounding rounding, Micros span) {
  switch (rounding) {
    case ResetRounding::kUp:
      return std::chrono::ceil<seconds>(span);
    case ResetRounding::kDown:
      return std::chrono::floor<seconds>(span);
    default:
      return std::chrono::floor<seconds>(span + std::chrono::milliseconds(500));
  }
}

}  // namespace

double ToldRemaining(const Manner& manner, double remaining) {
  if (remaining <= 0) return 0;
  const double step = manner.remaining_step;
  return step > 0 ? std::round(remaining / step) * step : remaining;
}

SystemTime ToldReset(const Manner& manner, SystemTime reset_at, bool absolute, SystemTime now) {
  const SystemTime said = absolute ? reset_at + manner.skew : reset_at;
  if (!manner.resets) return said;
  if (absolute) return SystemTime(Rounded(*manner.resets, said.time_since_epoch()));
  return now + Rounded(*manner.resets, std::max(said - now, Micros(0)));
}

}  // namespace apiquota::simulate
