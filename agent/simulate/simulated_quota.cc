#include "simulate/simulated_quota.h"

#include <algorithm>
#include <cmath>

namespace apiquota::simulate {

SimulatedQuota::SimulatedQuota(provider::QuotaKind kind, double limit, Micros window)
    : bucket_(kind == provider::QuotaKind::kBucket), limit_(limit), window_(window), left_(limit) {}

double SimulatedQuota::Remaining(SystemTime now) const {
  if (now >= at_ && !bucket_) return limit_;
  if (!bucket_) return left_;
  return std::min(limit_, left_ + ToSeconds(now - at_) * limit_ / ToSeconds(window_));
}

SystemTime SimulatedQuota::ResetAt(SystemTime now) const {
  if (bucket_) return now + SecondsToMicros((limit_ - Remaining(now)) * ToSeconds(window_) / limit_);
  return now >= at_ ? std::chrono::ceil<std::chrono::seconds>(now + window_) : at_;
}

Micros SimulatedQuota::WaitFor(double cost, SystemTime now) const {
  const double missing = cost - Remaining(now);
  if (missing <= 0) return Micros(0);
  if (!bucket_ || cost > limit_) return ResetAt(now) - now;
  return Micros(static_cast<int64_t>(std::ceil(missing * ToSeconds(window_) / limit_ * 1e6)) + 1);
}

void SimulatedQuota::Take(double cost, SystemTime now) {
  left_ = Remaining(now) - cost;
  at_ = bucket_ ? now : ResetAt(now);
}

}  // namespace apiquota::simulate
