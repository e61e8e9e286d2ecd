// What one response said about limits, for people and for programs: `apiquota explain` and /api/v1/explain.
// The JSON is a contract (DESIGN "Command line"). Pure.
#pragma once

#include <string>

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::expose {

struct Explanation {
  std::string exporter;
  int status = 0;
  SystemTime now;  // "resets in" counts from here
  provider::Signals signals;
};

// Whether a quota or a throttle was understood.
bool Understood(const provider::Signals& signals);

// Indented, keys in the contract's order, a final newline. null: the response did not say.
std::string ExplainAsJson(const Explanation& explanation);

// Aligned lines with bars; what was ignored and why. `colour`: ANSI sequences.
std::string ExplainAsText(const Explanation& explanation, bool colour);

}  // namespace apiquota::expose
