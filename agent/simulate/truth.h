// What an Enforcer enforced: what it let through and refused, window by window, and what a client that knows
// everything (all limits, their phases, nobody else's calls) could have had of each limit in the same time.
// Values, and their JSON. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "simulate/limit_options.h"

namespace apiquota::simulate {

// One window of a limit for one scope. Of limits without windows of their own (sliding, bucket, concurrency):
// a period as long as the window, counted from the scope's first call.
struct WindowTruth {
  SystemTime start;
  uint64_t admitted = 0;
  uint64_t refused = 0;  // by this limit
  double used = 0;       // concurrency: the most at one time

  friend bool operator==(const WindowTruth&, const WindowTruth&) = default;
};

struct LimitTruth {
  std::string name;
  LimitKind kind = LimitKind::kFixed;
  LimitUnit unit = LimitUnit::kRequests;
  double limit = 0;
  Micros window{0};
  bool hidden = false;  // a sub-limit, of which nobody is told
  uint64_t scopes = 0;  // keys or addresses that it was counted for
  uint64_t admitted = 0;
  uint64_t refused = 0;     // calls that this limit had no room for
  double used = 0;          // concurrency: seconds of slots
  double possible = 0;      // for a client that knows everything
  double share = 0;         // used / possible
  uint64_t violations = 0;  // times more was let through than the limit: 0, or the judge is at fault
  std::vector<WindowTruth> windows = {};  // in order; the newest kWindowsKept of each scope
  uint64_t windows_left_out = 0;
};

struct TruthTotals {
  uint64_t asked = 0;
  uint64_t admitted = 0;
  uint64_t refused = 0;
  uint64_t penalised = 0;   // of these, for coming before they were told to
  uint64_t scopes = 0;      // keys or addresses that were counted apart
  uint64_t failed = 0;      // answered with a failure, or …
  uint64_t bare_429s = 0;   // … refused without evidence: neither asked the limits
  double input_tokens = 0;  // really taken by calls that have ended
  double output_tokens = 0;
  std::optional<SystemTime> first_call;
};

struct Truth {
  TruthTotals totals;
  double seconds = 0;  // from the first call on: what `possible` is reckoned over
  std::vector<LimitTruth> limits = {};
  // Requests that pass all limits in requests at once, taken as early as each can be; nothing without such.
  std::optional<double> possible_requests = {};
  double share = 0;          // of the binding limit: the one that was used most of what was possible
  std::string binding = {};  // its name; "requests" of all limits in requests together
  uint64_t violations = 0;
};

inline constexpr size_t kWindowsKept = 1000;

// Shares, the binding limit, and the windows of all scopes in order: what follows from the rest.
void Conclude(Truth* truth);

std::string ToJson(const Truth& truth);  // one object, with its line break

}  // namespace apiquota::simulate
