#include "guard/breaker.h"

#include <algorithm>

namespace apiquota::guard {
namespace {

constexpr Micros kProbeIsOut = std::chrono::seconds(1);

int64_t SecondOf(SystemTime at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace

std::optional<SystemTime> Breaker::Refuses(SystemTime now) const {
  if (!open_) return std::nullopt;
  if (now < until_) return until_;
  return probing_ ? std::optional(now + kProbeIsOut) : std::nullopt;
}

std::optional<BreakerPass> Breaker::Enter(SystemTime now) {
  if (Refuses(now)) return std::nullopt;
  if (!open_) return BreakerPass{.period = period_, .probe = false};
  probing_ = true;
  ++probes_;
  return BreakerPass{.period = period_, .probe = true};
}

void Breaker::Ended(const BreakerPass& pass, Health health, SystemTime now) {
  if (pass.period != period_) return;
  if (!pass.probe) {
    Count(health, now);
    if (MustOpen(now)) Open(now);
    return;
  }
  probing_ = false;  // one that shows nothing gives its place to the next
  if (health == Health::kWell) Close();
  if (health == Health::kIll) Open(now);
}

void Breaker::Count(Health health, SystemTime now) {
  if (health == Health::kUnknown) return;
  Second& second = seconds_[static_cast<size_t>(SecondOf(now)) % kSeconds];
  if (second.at != SecondOf(now)) second = {.at = SecondOf(now)};
  const bool ill = health == Health::kIll;
  ++(ill ? second.ill : second.well);
  in_a_row_ = ill ? in_a_row_ + 1 : 0;
}

bool Breaker::MustOpen(SystemTime now) const {
  if (in_a_row_ == 0) return false;  // the last one was well: it gets better
  if (options_.errors != 0 && in_a_row_ >= options_.errors) return true;
  if (options_.ratio <= 0) return false;
  const int64_t since = SecondOf(now) - static_cast<int64_t>(kSeconds);
  uint64_t all = 0, ill = 0;
  for (const Second& second : seconds_) {
    if (second.at <= since) continue;
    all += second.well + second.ill;
    ill += second.ill;
  }
  return all >= std::max<size_t>(options_.of_at_least, 1) &&
         static_cast<double>(ill) >= options_.ratio * static_cast<double>(all);
}

// Each probe that fails doubles the time until the next.
void Breaker::Open(SystemTime now) {
  span_ = open_ ? std::min(2 * span_, options_.open_max) : options_.open;
  span_ = std::max(span_, options_.open);
  if (!open_) {
    ++trips_;
    probes_ = 0;
    opened_at_ = now;
  }
  open_ = true;
  until_ = now + span_;
  ++period_;
}

void Breaker::Close() {
  open_ = false;
  opened_at_.reset();
  in_a_row_ = 0;
  seconds_.fill({});
  ++period_;
}

BreakerView Breaker::View() const {
  return {.open = open_,
          .until = open_ ? until_ : SystemTime{},
          .trips = trips_,
          .probes = probes_,
          .opened_at = opened_at_};
}

}  // namespace apiquota::guard
