// What follows from what was said: identities, windows, and which readings of one response are the same
// quota. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "provider/exporter_rules.h"
#include "provider/signals.h"

namespace apiquota::provider {

// A reading with where it came from.
struct SourcedReading {
  Reading reading;
  size_t family = 0;   // readings of one family are different quotas, whatever their numbers
  bool named = false;  // the response named it; else the file alone did
  bool from_body = false;
  WindowRule window_rule = WindowRule::kSaid;
};

// Any one of limit, remaining and used from the other two; and a bucket's window, counted from `asked_at`.
void DeriveFields(Reading* reading, WindowRule window_rule, SystemTime asked_at);

// One reading per quota: what is said twice is merged into its first mention, which keeps its values and
// gains what it lacks. The same name with other numbers is another quota and gets "-2"; but of a head and a
// body that differ the head is right: it was written when the request was counted. `merge_equal`: see
// Exporter. In place: the readings that are left stand in front, and this is how many.
size_t MergeReadings(std::span<SourcedReading> readings, bool merge_equal);

// The seconds that a quota's name speaks of: "tokens-minute" 60, "req-10-second" 10, "5h" 18000, "daily"
// 86400.
std::optional<double> WindowFromName(std::string_view name);

}  // namespace apiquota::provider
