#include "quota/relation.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

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

}  // namespace

Micros Tolerance(const Held& held) {
  if (!held.window_seconds) return kSkew;
  return std::min(kSkew, SecondsToMicros(*held.window_seconds / 2));
}

bool SameEnd(const WindowEnd& a, const WindowEnd& b, Micros tolerance) {
  return a.absolute == b.absolute && std::chrono::abs(a.at - b.at) <= tolerance;
}

Relation Relate(const Held& held, const Heard& heard, Micros expire_after) {
  if (held.end && heard.end) return RelateEnds(held, heard);
  const SystemTime over = WindowOver(held).value_or(HoldsUntil(held, expire_after));
  if (heard.said.received_at >= over) return Relation::kNewer;
  return held.end ? Relation::kSame : RelateByLevel(held, heard);
}

}  // namespace apiquota::quota
