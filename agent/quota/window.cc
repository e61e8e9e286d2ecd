#include "quota/window.h"

#include <algorithm>
#include <cmath>

namespace apiquota::quota {
namespace {

constexpr Micros kOffsetPeriod = std::chrono::minutes(1);

using provider::QuotaKind;
using provider::SignalField;

std::optional<double> Finite(std::optional<double> value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

Micros Distance(SystemTime a, SystemTime b) { return a < b ? b - a : a - b; }

void HearReset(const provider::Reading& reading, Micros offset, Heard* heard) {
  if (!reading.reset_at) return;
  if (Distance(*reading.reset_at, heard->said.received_at) > kPlausible) {
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

Relation RelateEnds(const Held& held, const Heard& heard) {
  const bool same_clock = held.end->absolute == heard.end->absolute;
  const SystemTime before = same_clock ? held.end->at : *held.reset_at;
  const SystemTime after = same_clock ? heard.end->at : *heard.reset_at;
  const Micros tolerance = Tolerance(held);
  if (after > before + tolerance) return Relation::kNewer;
  if (after < before - tolerance) return Relation::kOlder;
  // Within the tolerance a window that is over and a level that rose mean a short window rolled
  // over.
  const bool over = heard.said.received_at >= *held.reset_at && heard.reset_at > held.reset_at;
  return over && CompareUse(heard, held) < 0 ? Relation::kNewer : Relation::kSame;
}

// Without two ends to compare, only a lasting rise tells another window from an answer that was
// overtaken.
Relation RelateByLevel(const Held& held, const Heard& heard) {
  const bool dated = heard.said.date && held.said.date;
  const Micros later =
      dated ? *heard.said.date - *held.said.date : heard.said.received_at - held.said.received_at;
  return later > kSkew && CompareUse(heard, held) < 0 ? Relation::kNewer : Relation::kSame;
}

template <class T>
bool Merge(const std::optional<T>& said, bool overwrite, std::optional<T>* known) {
  if (!said || (known->has_value() && !overwrite)) return false;
  if (*known != said) *known = said;
  return true;
}

void CopyBits(FieldSet fields, FieldSet from, FieldSet* to) { *to = (*to & ~fields) | (from & fields); }

}  // namespace

bool Newer(const Said& a, const Said& b) {
  if (a.date && b.date && *a.date != *b.date) return *a.date > *b.date;
  return a.order > b.order;
}

Said Sane(Said said) {
  if (said.date && Distance(*said.date, said.received_at) > kDateSane) said.date.reset();
  return said;
}

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

std::optional<SystemTime> KnownEnd(const Held& held) {
  if (held.reset_at) return held.reset_at;
  if (held.window_seconds) return held.level_at + SecondsToMicros(*held.window_seconds);
  return std::nullopt;
}

SystemTime HoldsUntil(const Held& held, Micros expire_after) {
  return KnownEnd(held).value_or(held.level_at + expire_after);
}

bool Holds(const Held& held, Micros expire_after, SystemTime now) {
  return now < HoldsUntil(held, expire_after) && now + kClockStep >= held.said.received_at;
}

bool FullAgain(const Held& held, Micros expire_after, SystemTime now) {
  if (!held.reset_at || !held.limit || (!held.remaining && !held.used)) return false;
  const Micros lasts = held.window_seconds ? SecondsToMicros(*held.window_seconds) : expire_after;
  return now >= *held.reset_at && now < *held.reset_at + lasts;
}

std::optional<SystemTime> WindowOver(const Held& held) {
  if (held.reset_at) return held.reset_at;
  if (held.window_seconds) return held.since + SecondsToMicros(*held.window_seconds);
  return std::nullopt;
}

Micros Tolerance(const Held& held) {
  if (!held.window_seconds) return kSkew;
  return std::min(kSkew, SecondsToMicros(*held.window_seconds / 2));
}

bool SameEnd(const WindowEnd& a, const WindowEnd& b, Micros tolerance) {
  return a.absolute == b.absolute && Distance(a.at, b.at) <= tolerance;
}

Relation Relate(const Held& held, const Heard& heard, Micros expire_after) {
  if (held.end && heard.end) return RelateEnds(held, heard);
  const SystemTime over = WindowOver(held).value_or(HoldsUntil(held, expire_after));
  if (heard.said.received_at >= over) return Relation::kNewer;
  return held.end ? Relation::kSame : RelateByLevel(held, heard);
}

void MergeFacts(const Heard& heard, bool overwrite, Held* held) {
  if (Merge(heard.limit, overwrite, &held->limit)) {
    CopyBits(Bit(SignalField::kLimit), heard.derived, &held->derived);
  }
  if (Merge(heard.window_seconds, overwrite, &held->window_seconds)) {
    CopyBits(Bit(SignalField::kWindow), heard.derived, &held->derived);
  }
  if (heard.full && overwrite) {
    held->reset_at.reset();
    held->end.reset();
  }
  if (Merge(heard.reset_at, overwrite, &held->reset_at)) {
    held->end = heard.end;
    CopyBits(Bit(SignalField::kReset), heard.derived, &held->derived);
  }
  Merge(heard.source->policy, overwrite, &held->policy);
  if (!overwrite) return;
  held->said = heard.said;
  if (!held->remaining && !held->used) held->level_at = heard.said.received_at;
}

void TakeLevel(const Heard& heard, Held* held) {
  if (!heard.remaining && !heard.used) return;
  held->remaining = heard.remaining;
  held->used = heard.used;
  held->level_at = heard.said.received_at;
  CopyBits(Bit(SignalField::kRemaining) | Bit(SignalField::kUsed), heard.derived, &held->derived);
}

std::partial_ordering CompareUse(const Heard& heard, const Held& held) {
  if (heard.remaining && held.remaining) return *held.remaining <=> *heard.remaining;
  if (heard.used && held.used) return *heard.used <=> *held.used;
  const bool says_first_level = (heard.remaining || heard.used) && !held.remaining && !held.used;
  return says_first_level ? std::partial_ordering::greater : std::partial_ordering::unordered;
}

void Replace(const Heard& heard, Held* held) {
  held->limit.reset();
  held->remaining.reset();
  held->used.reset();
  held->window_seconds.reset();
  held->reset_at.reset();
  held->end.reset();
  held->derived = 0;
  held->since = heard.said.received_at;
  held->level_at = heard.said.received_at;
  if (!heard.source->policy) held->policy.reset();
  MergeFacts(heard, true, held);
  TakeLevel(heard, held);
}

}  // namespace apiquota::quota
