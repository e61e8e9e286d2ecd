// One key's guard whose requests need slots, and an API that tells of calls at a time.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "guard/key_guard.h"
#include "tests/guard/key_guard_under_test.h"

namespace apiquota::guard {

class KeyGuardSlotsTest : public KeyGuardTest {
 protected:
  static Options With(size_t max, bool adaptive = false) {
    Options options = GuardOn();
    options.cold_concurrency = 1000;
    options.concurrency = ConcurrencyOptions{};
    options.concurrency->max = max;
    options.concurrency->adaptive = adaptive;
    return options;
  }
  void Start(Options options) { guard.Configure(std::move(options), {}); }

  // Calls that took so long each: what is known from then on.
  void Learn(Micros took) {
    for (int i = 0; i < 9; ++i) {
      const Id id = Send();
      now += took;
      Answer(id, {});
    }
  }
  SlotsView Slots() const { return guard.View(now).slots.value_or(SlotsView{}); }
  Verdict::Kind AskKind(Micros patience = std::chrono::seconds(65)) {
    return guard.Ask(Ask(patience), now).kind;
  }

  // Calls at a time, as an API tells of them.
  static provider::Reading AtOnce(std::optional<double> limit, std::optional<double> used,
                                  std::optional<double> remaining = {}) {
    provider::Reading reading;
    reading.quota = "concurrency";
    reading.unit = "concurrent-requests";
    reading.kind = provider::QuotaKind::kConcurrency;
    reading.limit = limit;
    reading.used = used;
    reading.remaining = remaining;
    return reading;
  }
  void Hear(Id ticket, provider::Reading reading, const provider::Throttle* throttle = nullptr) {
    const std::vector<provider::Reading> readings = {reading};
    guard.Answered(ticket,
                   {.status = throttle != nullptr ? 429 : 200,
                    .received_at = now,
                    .date = now,
                    .resource = "",
                    .readings = readings,
                    .throttle = throttle,
                    .retry_after_seconds = {}},
                   now);
  }
  const provider::Throttle too_many{provider::ThrottleScope::kConcurrency, provider::ThrottleSignal::kStatus,
                                    ""};
};

}  // namespace apiquota::guard
