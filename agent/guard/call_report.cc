#include "guard/call_report.h"

#include <algorithm>
#include <span>

#include "guard/call_digest.h"
#include "guard/route_of.h"

namespace apiquota::guard {

bool CallReport::Count(Route route, uint64_t digest, bool batchable, SystemTime now) {
  const std::lock_guard lock(mutex_);
  const bool identical = SeenBefore(digest, now);
  ++route.calls_->calls;
  if (identical) ++route.calls_->identical;
  if (batchable) ++route.calls_->batchable;
  return identical;
}

// Two paths of one hash would be taken for one route: the seed makes that chance alone, once in 2^64.
CallReport::Route CallReport::RouteFor(std::string_view method, std::string_view path) {
  constexpr std::string_view kOther = "other";
  CallDigest digest;
  digest.Begin(seed_, method, path);
  const uint64_t name = digest.Value();
  const std::lock_guard lock(mutex_);
  Known& known = known_[name % known_.size()];
  if (known.route != nullptr && known.name == name) return Route(known.route);
  std::string folded = RouteOf(method, path);
  auto found = routes_.find(folded);
  if (found == routes_.end()) {
    if (routes_.size() >= kRoutesMax) folded = kOther;
    found = routes_.try_emplace(folded, RouteCalls{.route = folded}).first;
  }
  known = {name, &found->second};
  return Route(&found->second);
}

bool CallReport::SeenBefore(uint64_t digest, SystemTime now) {
  if (recent_.empty()) recent_.resize(kRecentMax);
  const std::span<Seen> set = std::span(recent_).subspan(digest % (kRecentMax / kWays) * kWays, kWays);
  Seen* oldest = set.data();
  for (Seen& seen : set) {
    if (seen.digest == digest && seen.at != SystemTime{}) {
      const bool lately = now - seen.at <= kIdenticalWithin;
      seen.at = now;
      return lately;
    }
    if (seen.at < oldest->at) oldest = &seen;
  }
  *oldest = {digest, now};
  return false;
}

std::vector<RouteCalls> CallReport::View() const {
  std::vector<RouteCalls> routes;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, route] : routes_) routes.push_back(route);
  }
  std::ranges::stable_sort(routes, std::greater(), &RouteCalls::calls);
  return routes;
}

}  // namespace apiquota::guard
