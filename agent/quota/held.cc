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

void CopyBits(FieldSet fields, FieldSet from, FieldSet* to) { *to = (*to & ~fields) | (from & fields); }

}  // namespace

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
