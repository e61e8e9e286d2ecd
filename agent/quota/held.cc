#include "quota/held.h"

namespace apiquota::quota {
namespace {

using provider::SignalField;

template <class T>
bool Merge(const std::optional<T>& said, bool overwrite, std::optional<T>* known) {
  if (!said || (known->has_value() && !overwrite)) return false;
  if (*known != said) *known = said;
  return true;
}

void CopyDerived(SignalField field, const Heard& heard, Held* held) {
  if (heard.derived.Has(field)) {
    held->derived.Add(field);
  } else {
    held->derived.Remove(field);
  }
}

// A window computed from what is left and when that is back is far too short where amounts are rounded:
// nothing holds by it.
std::optional<double> WindowSaid(const Held& held) {
  return held.derived.Has(SignalField::kWindow) ? std::nullopt : held.window_seconds;
}

}  // namespace

std::optional<SystemTime> KnownEnd(const Held& held) {
  if (held.reset_at) return held.reset_at;
  if (const auto window = WindowSaid(held)) return held.level.received_at + SecondsToMicros(*window);
  return std::nullopt;
}

SystemTime HoldsUntil(const Held& held, Micros expire_after) {
  const SystemTime end = KnownEnd(held).value_or(held.level.received_at + expire_after);
  return end <= held.level.received_at ? end + kSkew : end;
}

bool Holds(const Held& held, Micros expire_after, SystemTime now) {
  return now < HoldsUntil(held, expire_after);
}

bool FullAgain(const Held& held, Micros expire_after, SystemTime now) {
  if (!held.reset_at || !held.limit || (!held.remaining && !held.used)) return false;
  const auto window = WindowSaid(held);
  const Micros lasts = window ? SecondsToMicros(*window) : expire_after;
  return now >= HoldsUntil(held, expire_after) && now < *held.reset_at + lasts;
}

std::optional<SystemTime> WindowOver(const Held& held) {
  if (held.reset_at) return held.reset_at;
  if (held.window_seconds) return held.since + SecondsToMicros(*held.window_seconds);
  return std::nullopt;
}

void MergeFacts(const Heard& heard, bool overwrite, Held* held) {
  if (Merge(heard.limit, overwrite, &held->limit)) {
    CopyDerived(SignalField::kLimit, heard, held);
  }
  if (Merge(heard.window_seconds, overwrite, &held->window_seconds)) {
    CopyDerived(SignalField::kWindow, heard, held);
  }
  if (heard.full && overwrite) {
    held->reset_at.reset();
    held->end.reset();
  }
  if (Merge(heard.reset_at, overwrite, &held->reset_at)) {
    if (!held->end || held->end->absolute != heard.end->absolute) held->end = heard.end;
    CopyDerived(SignalField::kReset, heard, held);
  }
  Merge(heard.source->policy, overwrite, &held->policy);
  if (!overwrite) return;
  held->said = heard.said;
  if (!held->remaining && !held->used) held->level = heard.said;
}

void TakeLevel(const Heard& heard, Held* held) {
  if (!heard.SaysLevel()) return;
  held->remaining = heard.remaining;
  held->used = heard.used;
  held->level = heard.said;
  held->level_offset = heard.offset;
  CopyDerived(SignalField::kRemaining, heard, held);
  CopyDerived(SignalField::kUsed, heard, held);
}

void MergeNewer(const Heard& heard, Held* held) {
  Heard facts = heard;
  if (!heard.SaysLevel() && held->SaysLevel()) {
    const bool earlier = heard.reset_at && (!held->reset_at || *heard.reset_at < *held->reset_at);
    const bool to_come = heard.reset_at && *heard.reset_at > heard.said.received_at + kSkew;
    if (!earlier || !to_come) facts.reset_at.reset(), facts.end.reset();
  }
  MergeFacts(facts, true, held);
  if (facts.end) held->end = facts.end;
  TakeLevel(heard, held);
}

std::partial_ordering CompareUse(const Heard& heard, const Held& held) {
  if (heard.remaining && held.remaining) return *held.remaining <=> *heard.remaining;
  if (heard.used && held.used) return *heard.used <=> *held.used;
  const bool says_first_level = heard.SaysLevel() && !held.remaining && !held.used;
  return says_first_level ? std::partial_ordering::greater : std::partial_ordering::unordered;
}

void Replace(const Heard& heard, Held* held) {
  held->limit.reset();
  held->remaining.reset();
  held->used.reset();
  held->window_seconds.reset();
  held->reset_at.reset();
  held->end.reset();
  held->derived = {};
  held->since = heard.said.received_at;
  held->level = heard.said;
  if (!heard.source->policy) held->policy.reset();
  MergeFacts(heard, true, held);
  TakeLevel(heard, held);
}

}  // namespace apiquota::quota
