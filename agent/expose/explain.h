// What one response said about limits, for people and for programs: `apiquota explain` and /api/v1/explain.
// The JSON is a contract (tests/providers holds it). Pure.
#pragma once

#include <string>

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::expose {

// Why this exporter: named by the asker; the host is one of its own; headers that only it has; none of these.
enum class Recognition : uint8_t { kNamed, kHost, kHeaders, kGeneric };

struct Explanation {
  std::string exporter;
  int status = 0;
  SystemTime now;  // "resets in" counts from here
  provider::Signals signals;

  // For people only.
  std::string title;  // of the API; empty: the exporter's name
  Recognition recognition = Recognition::kNamed;
  std::string host;  // that was asked, for kHost
};

// Whether a quota or a throttle was understood.
bool Understood(const provider::Signals& signals);

// Indented, keys in the contract's order, a final newline. null: the response did not say; `usage`, the
// tokens it cost by type, is there only if it did.
std::string ExplainAsJson(const Explanation& explanation);

// Who said it and how that was found out; a sentence about the throttle; a line with a bar per quota,
// aligned; the tokens it cost; what was ignored and why. `colour`: ANSI sequences. Bytes from outside that
// could move a cursor are shown as "?".
std::string ExplainAsText(const Explanation& explanation, bool colour);

}  // namespace apiquota::expose
