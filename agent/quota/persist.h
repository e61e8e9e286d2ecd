// Readings as text and back, for a restart: JSON, times in microseconds since the epoch,
//   {"quotas": [{…}], "counts": [{…}]}
// framed with a checksum (saved_text.h). Version 1 had no frame and its version inside; it is still read, and
// the next save writes version 2. Counters, peaks and pace are not kept: they start with the process. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "quota/declared.h"
#include "quota/held.h"
#include "quota/snapshot.h"

namespace apiquota::quota {

struct SavedQuota {
  QuotaId id;
  std::string exporter;
  provider::QuotaKind kind = provider::QuotaKind::kFixed;  // as its exporter described it
  std::optional<provider::QuotaKind> learned;              // another, as its readings showed it
  std::optional<uint16_t> family;                          // of the rule that speaks of it
  Held held;

  friend bool operator==(const SavedQuota&, const SavedQuota&) = default;
};

struct Saved {
  std::vector<SavedQuota> quotas;
  std::vector<SavedCount> counts;  // of declared limits
};

// Puts all times on a clock that is ahead by so much.
void Move(Micros by, Saved* saved);

std::string WriteSaved(const Saved& saved);

// All or nothing: another version, a wrong checksum, a missing or unknown field, a wrong type or an
// impossible value is an error.
Result<Saved> ReadSaved(std::string_view text);

}  // namespace apiquota::quota
