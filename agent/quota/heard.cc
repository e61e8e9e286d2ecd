#include "quota/heard.h"

#include <cmath>

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using provider::SignalField;

std::optional<double> Finite(std::optional<double> value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

void HearReset(const provider::Reading& reading, Micros offset, Heard* heard) {
  if (!reading.reset_at) return;
  if (std::chrono::abs(*reading.reset_at - heard->said.received_at) > kPlausible) {
    heard->implausible_reset = true;
    return;
  }
  heard->end = WindowEnd{*reading.reset_at, reading.reset_absolute};
  heard->reset_at = *reading.reset_at - (reading.reset_absolute ? offset : Micros(0));
}

// A bucket's reset says when it will be full: in the past means it is.
void FillIfReset(std::optional<double> limit, Heard* heard) {
  if (!heard->reset_at || *heard->reset_at > heard->said.received_at || !limit) return;
  heard->full = true;
  heard->remaining = limit;
  heard->used = 0;
  heard->derived |= Bit(SignalField::kRemaining) | Bit(SignalField::kUsed);
  heard->reset_at.reset();
  heard->end.reset();
}

void Complete(std::optional<double> limit, Heard* heard) {
  if (!limit) return;
  if (heard->remaining && !heard->used) {
    heard->used = *limit - *heard->remaining;
    heard->derived |= Bit(SignalField::kUsed);
  } else if (heard->used && !heard->remaining) {
    heard->remaining = *limit - *heard->used;
    heard->derived |= Bit(SignalField::kRemaining);
  }
}

}  // namespace

Heard Hear(const provider::Reading& reading, const Said& said, Micros offset,
           std::optional<double> known_limit) {
  Heard heard;
  heard.source = &reading;
  heard.said = said;
  heard.limit = Finite(reading.limit);
  heard.remaining = Finite(reading.remaining);
  heard.used = Finite(reading.used);
  if (reading.window_seconds > 0 && reading.window_seconds <= ToSeconds(kPlausible)) {
    heard.window_seconds = reading.window_seconds;
  }
  for (const SignalField field : reading.derived) heard.derived |= Bit(field);
  HearReset(reading, offset, &heard);
  const std::optional<double> limit = heard.limit ? heard.limit : known_limit;
  if (reading.kind == QuotaKind::kBucket) FillIfReset(limit, &heard);
  Complete(limit, &heard);
  return heard;
}

}  // namespace apiquota::quota
