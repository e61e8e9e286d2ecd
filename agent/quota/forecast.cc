#include "quota/forecast.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

constexpr Micros kSpanMin = std::chrono::seconds(10);
constexpr Micros kSpanMax = std::chrono::hours(6);
constexpr Micros kSpanUnknown = std::chrono::minutes(15);
constexpr uint64_t kReadingsMin = 3;
constexpr double kFarthestSeconds = 400.0 * 86400;

}  // namespace

Micros PaceSpan(std::optional<double> window_seconds) {
  if (!window_seconds) return kSpanUnknown;
  return std::clamp(SecondsToMicros(*window_seconds / 4), kSpanMin, kSpanMax);
}

void NotePace(SystemTime at, double consumed, Micros span, Pace* pace) {
  constexpr size_t kSamples = std::tuple_size_v<decltype(pace->samples)>;
  Pace::Sample* newest = pace->size == 0 ? nullptr : &pace->samples[(pace->next + kSamples - 1) % kSamples];
  const uint64_t readings = newest == nullptr ? 1 : newest->readings + 1;
  if (newest != nullptr) at = std::max(at, newest->at);
  // The first sample stays as it is: it is where the span begins.
  if (pace->size > 1 && at - newest->at < span / kSamples) {
    *newest = {newest->at, consumed, readings};
    return;
  }
  pace->samples[pace->next] = {at, consumed, readings};
  pace->next = (pace->next + 1) % kSamples;
  pace->size = std::min(pace->size + 1, kSamples);
}

std::optional<double> ConsumptionRate(const Pace& pace, SystemTime now, Micros span) {
  constexpr size_t kSamples = std::tuple_size_v<decltype(pace.samples)>;
  const Pace::Sample* first = nullptr;
  const Pace::Sample* last = nullptr;
  for (size_t i = 0; i < pace.size; ++i) {
    const Pace::Sample& sample = pace.samples[(pace.next + kSamples - pace.size + i) % kSamples];
    if (sample.at < now - span) continue;
    if (first == nullptr) first = &sample;
    last = &sample;
  }
  if (first == nullptr || last->readings - first->readings + 1 < kReadingsMin) return std::nullopt;
  // A burst says little about a minute: at least a tenth of the span is taken to have passed.
  const Micros elapsed = std::max(now - first->at, span / 10);
  return (last->consumed - first->consumed) / ToSeconds(elapsed);
}

std::optional<SystemTime> Exhaustion(const ForecastInput& input, SystemTime now) {
  double net = input.consumed_per_second;
  if (input.kind == QuotaKind::kBucket) {
    if (input.refill_per_second <= 0) return std::nullopt;
    net -= input.refill_per_second;
  }
  if (net <= 0) return std::nullopt;
  const double seconds = std::max(0.0, input.remaining) / net;
  if (seconds > kFarthestSeconds) return std::nullopt;
  const SystemTime at = now + SecondsToMicros(seconds);
  switch (input.kind) {
    case QuotaKind::kFixed:
    case QuotaKind::kSliding:
      return input.reset_at && at < *input.reset_at ? std::optional(at) : std::nullopt;
    case QuotaKind::kBucket:
      return at;
    case QuotaKind::kConcurrency:
    case QuotaKind::kBalance:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace apiquota::quota
