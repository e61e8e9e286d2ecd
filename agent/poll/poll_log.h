// The log lines about polls: one when a target begins to fail, fails for another reason or succeeds again,
// and one now and then while it goes on failing; all targets together at most 20 at once and one a second.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "poll/poll_verdict.h"

namespace apiquota::poll {

class PollLog {
 public:
  // `before`: the result of the target's last poll; empty: there was none. `failures`: in a row.
  void Report(const std::string& api, const std::string& key, std::string_view before,
              const PollVerdict& verdict, int status, unsigned failures, SteadyTime now);

 private:
  bool Allow(SteadyTime now);

  double tokens_ = 20;
  SteadyTime refilled_;
  uint64_t suppressed_ = 0;
};

}  // namespace apiquota::poll
