#include "quota/relation.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

Micros WithinHalf(Micros span, const Held& held) {
  if (!held.window_seconds) return span;
  return std::min(span, SecondsToMicros(*held.window_seconds / 2));
}

// What two machines' clocks, or one's that wanders, may make of one end.
Micros Drift(const Held& held) { return WithinHalf(5 * kSkew, held); }

Relation RelateEnds(const Held& held, const Heard& heard) {
  const bool same_clock = held.end->absolute == heard.end->absolute;
  const SystemTime before = same_clock ? held.end->at : *held.reset_at;
  const SystemTime after = same_clock ? heard.end->at : *heard.reset_at;
  const Micros tolerance = Tolerance(held);
  const SystemTime received = heard.said.received_at;
  const bool over = received >= *held.reset_at;
  const bool rose = CompareUse(heard, held) < 0;
  if (after - Doubt(heard) > before + tolerance) {
    // Clocks drift by seconds; windows follow each other by their length.
    const bool next = rose ? received >= *held.reset_at - tolerance : over && after > before + Drift(held);
    if (next) return Relation::kNext;
    return over || Newer(heard.said, held.said) ? Relation::kMoved : Relation::kOlder;
  }
  if (after < before - tolerance) {
    // An end that is past is that of a window before; one to come, said later, takes the place of the far
    // one.
    const bool to_come = *heard.reset_at > received + tolerance;
    return to_come && Newer(heard.said, held.said) ? Relation::kMoved : Relation::kOlder;
  }
  // Within the tolerance a window that is over and a level that rose mean a short window rolled over.
  const bool rolled = rose && after > before && heard.said.sent_at >= *held.reset_at;
  return rolled ? Relation::kNext : Relation::kSame;
}

// Without two ends to compare, only a lasting rise tells another window from an answer that was
// overtaken.
bool RoseForGood(const Held& held, const Heard& heard) {
  return heard.said.sent_at > held.level.received_at + kSkew && CompareUse(heard, held) < 0;
}

}  // namespace

Micros Doubt(const Heard& heard) {
  return heard.end->absolute ? Micros(0) : std::max(Micros(0), heard.said.received_at - heard.said.sent_at);
}

Micros Tolerance(const Held& held) { return WithinHalf(kSkew, held); }

bool SameEnd(const WindowEnd& a, const WindowEnd& b, Micros tolerance) {
  return a.absolute == b.absolute && std::chrono::abs(a.at - b.at) <= tolerance;
}

Relation Relate(const Held& held, const Heard& heard, Micros expire_after) {
  if (held.end && heard.end) return RelateEnds(held, heard);
  const auto over = WindowOver(held);
  if (over && heard.said.received_at >= *over) return Relation::kNext;
  if (heard.said.received_at >= HoldsUntil(held, expire_after)) return Relation::kRose;
  return !held.end && RoseForGood(held, heard) ? Relation::kRose : Relation::kSame;
}

}  // namespace apiquota::quota
