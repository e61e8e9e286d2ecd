// When a quota will be exhausted at the pace it is being consumed (docs/quota-semantics.md rule 10). A
// forecast needs three readings within a span suited to the quota's window; without a sound one there is
// none. Pure; no thread-safety of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "provider/signals.h"

namespace apiquota::quota {

// Consumption at moments of the recent past, thinned to a sixteenth of the span.
struct Pace {
  struct Sample {
    SystemTime at;
    double consumed = 0;    // the running total
    uint64_t readings = 0;  // likewise
  };
  std::array<Sample, 16> samples{};
  size_t size = 0;
  size_t next = 0;
};

// A quarter of the window, between ten seconds and six hours; a quarter of an hour where the window
// is unknown.
Micros PaceSpan(std::optional<double> window_seconds);

void NotePace(SystemTime at, double consumed, Micros span, Pace* pace);

// Units per second over the span that ends now; absent with fewer than three readings in it.
std::optional<double> ConsumptionRate(const Pace& pace, SystemTime now, Micros span);

struct ForecastInput {
  provider::QuotaKind kind = provider::QuotaKind::kFixed;
  double remaining = 0;
  std::optional<SystemTime> reset_at;
  double refill_per_second = 0;  // buckets; 0: unknown
  double consumed_per_second = 0;
};

// Fixed and sliding: only before a known reset. Buckets: only while consumption outruns a known
// refill. Others: none.
std::optional<SystemTime> Exhaustion(const ForecastInput& input, SystemTime now);

}  // namespace apiquota::quota
