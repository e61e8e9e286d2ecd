// One key's guard in virtual time, with a client that asks and an API that answers.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

#include "guard/key_guard.h"
#include "tests/guard/start.h"

namespace apiquota::guard {

inline Options GuardOn() {
  Options options;
  options.mode = Mode::kOn;
  return options;
}

class KeyGuardTest : public testing::Test {
 protected:
  Request Ask(Micros patience = std::chrono::seconds(65)) const {
    return {.resource = "", .route = "GET /", .flow = "a", .tokens = {}, .deadline = now + patience};
  }

  // A request that goes at once and is sent; the test fails if it does not.
  Id Send() {
    const Verdict verdict = guard.Ask(Ask(), now);
    EXPECT_EQ(verdict.kind, Verdict::Kind::kAdmit);
    guard.Sent(verdict.id, now);
    return verdict.id;
  }

  static provider::Reading Fixed(double limit, double remaining, SystemTime reset) {
    provider::Reading reading;
    reading.quota = "requests";
    reading.unit = "requests";
    reading.kind = provider::QuotaKind::kFixed;
    reading.limit = limit;
    reading.remaining = remaining;
    reading.reset_at = reset;
    reading.reset_absolute = true;
    reading.window_seconds = 60;
    return reading;
  }

  void Answer(Id ticket, std::vector<provider::Reading> readings, int status = 200,
              const provider::Throttle* throttle = nullptr, std::optional<double> retry_after = {}) {
    guard.Answered(ticket,
                   {.status = status,
                    .received_at = now,
                    .date = now,
                    .resource = "",
                    .readings = readings,
                    .throttle = throttle,
                    .retry_after_seconds = retry_after},
                   now);
    guard.Settle(ticket, std::nullopt, now);
  }

  std::vector<Grant> Advance() {
    std::vector<Grant> grants;
    guard.Advance(now, &grants);
    return grants;
  }

  SystemTime now = kStart;
  KeyGuard guard{GuardOn(), {}, false, 1};
  const provider::Throttle bare{provider::ThrottleScope::kPrimary, provider::ThrottleSignal::kStatus, ""};
};

}  // namespace apiquota::guard
