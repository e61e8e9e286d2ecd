#include "quota/heard.h"

#include <cmath>

namespace apiquota::quota {
namespace {

using provider::QuotaKind;
using provider::SignalField;

std::optional<double> Finite(std::optional<double> value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

// "Nothing left, and it comes back in 0 seconds" is said by limiters that do not know when.
bool SaysNoWhen(const provider::Reading& reading, const Moment& moment) {
  return reading.kind != QuotaKind::kBucket && reading.remaining <= 0 && !reading.reset_absolute &&
         *reading.reset_at <= moment.said.received_at + moment.age;
}

Micros Ahead(const Moment& moment) {
  return moment.offset ? Correction(*moment.offset) : moment.system_ahead;
}

// Past before its request was even sent, but not by the clock of the machine that said it, while nothing else
// tells of that clock: that clock is behind.
bool ByItsOwnDate(const provider::Reading& reading, const Moment& moment) {
  const Said& said = moment.said;
  return reading.reset_absolute && !moment.offset && said.date && *reading.reset_at > *said.date &&
         *reading.reset_at - moment.system_ahead + kSkew < said.sent_at;
}

void HearReset(const provider::Reading& reading, const Moment& moment, Heard* heard) {
  if (!reading.reset_at || SaysNoWhen(reading, moment)) return;
  if (std::chrono::abs(*reading.reset_at - heard->said.received_at) > kPlausible) {
    heard->implausible_reset = true;
    return;
  }
  const SystemTime at = *reading.reset_at - (reading.reset_absolute ? Micros(0) : moment.age);
  heard->end = WindowEnd{at, reading.reset_absolute};
  heard->reset_at = at - (reading.reset_absolute ? Ahead(moment) : Micros(0));
  if (ByItsOwnDate(reading, moment)) heard->reset_at = at - (*moment.said.date - moment.said.received_at);
}

// A bucket's reset says when it will be full: in the past means it is. A level said beside a reset of just
// now is the newer word: clocks differ by as much.
void FillIfReset(std::optional<double> limit, Heard* heard) {
  if (!heard->reset_at || !limit) return;
  const Micros doubt = heard->SaysLevel() ? kSkew : Micros(0);
  if (*heard->reset_at + doubt > heard->said.received_at) return;
  heard->full = true;
  heard->remaining = limit;
  heard->used = 0;
  heard->derived.Add(SignalField::kRemaining);
  heard->derived.Add(SignalField::kUsed);
  heard->reset_at.reset();
  heard->end.reset();
}

// By a limit that another response said.
void CompleteWith(std::optional<double> known_limit, QuotaKind kind, Heard* heard) {
  const bool unsaid = !heard->limit && known_limit && heard->remaining.has_value() != heard->used.has_value();
  if (unsaid) heard->limit = known_limit;
  provider::Complete(kind, heard);
  if (unsaid) heard->limit.reset();
}

}  // namespace

Heard Hear(const provider::Reading& reading, const Moment& moment, std::optional<double> known_limit) {
  Heard heard;
  heard.source = &reading;
  heard.said = moment.said;
  heard.offset = moment.offset;
  heard.limit = Finite(reading.limit);
  heard.remaining = Finite(reading.remaining);
  heard.used = Finite(reading.used);
  heard.derived = reading.derived;
  if (reading.window_seconds > 0 && reading.window_seconds <= ToSeconds(kPlausible)) {
    heard.window_seconds = reading.window_seconds;
  }
  HearReset(reading, moment, &heard);
  if (reading.kind == QuotaKind::kBucket) FillIfReset(heard.limit ? heard.limit : known_limit, &heard);
  CompleteWith(known_limit, reading.kind, &heard);
  return heard;
}

}  // namespace apiquota::quota
