// An api with limits of the operator's own.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "guard/api_guard.h"
#include "tests/guard/own_limits_under_test.h"

namespace apiquota::guard {

inline Options With(std::vector<LimitRule> limits) {
  Options options;
  options.mode = Mode::kOn;
  options.limits = std::move(limits);
  return options;
}

inline std::shared_ptr<ApiGuard> Configured(const Options& options) {
  auto guard = std::make_shared<ApiGuard>("demo");
  guard->Configure(options, kStart);
  return guard;
}

inline size_t LeftOf(const std::shared_ptr<ApiGuard>& guard, SystemTime now) {
  return static_cast<size_t>(guard->StandingsOf(From("192.0.2.1"), now)[0].remaining);
}

}  // namespace apiquota::guard
