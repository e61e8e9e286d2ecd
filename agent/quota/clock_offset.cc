#include "quota/clock_offset.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

constexpr Micros kOffsetPeriod = std::chrono::minutes(1);

}  // namespace

Micros Offset(const Said& said, SystemTime now, ClockOffset* offset) {
  if (now < offset->since || now >= offset->since + kOffsetPeriod) {
    const bool fresh = now >= offset->since && now < offset->since + 2 * kOffsetPeriod;
    offset->previous = fresh ? offset->current : std::nullopt;
    offset->current.reset();
    offset->since = now;
  }
  if (said.date) offset->current = std::max(offset->current, std::optional(*said.date - said.received_at));
  const Micros ahead = std::max(offset->current, offset->previous).value_or(Micros(0));
  return ahead > kSkew || ahead < -kSkew ? ahead : Micros(0);
}

}  // namespace apiquota::quota
