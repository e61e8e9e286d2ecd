// Which resource a route's requests count against, learned from answers where requests don't name it
// (docs/guard.md): GitHub's say `x-ratelimit-resource`. One per key of an API. No thread-safety of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "guard/recent.h"

namespace apiquota::guard {

class ResourceMemory {
 public:
  static constexpr size_t kMostRoutes = 256;  // beyond, the one learned longest ago leaves

  // Null: not known. Valid until the next Learn.
  const std::string* Find(std::string_view route) const { return resources_.Find(route); }
  // An answer to a request of this route named its resource; if either is empty, nothing is learned.
  void Learn(std::string_view route, std::string_view resource) {
    if (!route.empty() && !resource.empty()) resources_.Touch(route) = resource;
  }
  size_t size() const { return resources_.size(); }

 private:
  Recent<std::string, kMostRoutes> resources_;
};

}  // namespace apiquota::guard
