// The access log (--log.access): one line for each request that reached an api, when it is over. What it
// tells of paths is what /api/v1/guard does: ids folded, never a query; of keys and callers their names. It
// waits for nobody: what the log has no room for is dropped and counted (base/log.h). Belongs to one loop.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "guard/own_limits.h"
#include "provider/signals.h"

namespace apiquota::proxy {

// Of the limits that are known of a request the one that has least left.
struct TightestLimit {
  std::string name;  // of the operator's own limit, or of the API's quota
  double limit = 0;
  double remaining = 0;
  std::optional<double> reset_seconds = {};  // from when it was said

  friend bool operator==(const TightestLimit&, const TightestLimit&) = default;
};
std::optional<TightestLimit> TightestOf(std::span<const guard::LimitStanding> standings);
std::optional<TightestLimit> TightestOf(std::span<const provider::Reading> readings, SystemTime received_at);

// What is gathered of a request while it is under way.
struct AccessFacts {
  SteadyTime began_at;
  std::optional<SteadyTime> first_byte_at = {};  // of the API's answer; of several attempts, of the last
  int status = 0;                                // what the client was told; 0: it had gone
  uint64_t bytes = 0;                            // of the answer's body, from the API or from memory
  int attempts = 0;                              // that were sent
  std::string_view decision = {};                // the guard's: allow, delay, reject; empty: nobody decided
  std::string_view rule = {};                    // … by which
  Micros waited{};                               // for its turn
  std::string_view cache = {};                   // what became of it there; empty: there is none
  std::optional<TightestLimit> tightest = {};
};

// Who asked for what; views that are valid for the call.
struct AccessSubject {
  std::string_view api;
  std::string_view caller = {};
  std::string_view key = {};
  std::string_view method;
  std::string_view path;
  int upstream_status = 0;  // 0: the API has not answered
};

void LogAccess(const AccessSubject& subject, const AccessFacts& facts, SteadyTime now);

}  // namespace apiquota::proxy
