// What could be saved of one api's calls, reported and not done (docs/guard.md, "What could be saved"): per
// route, how many were the same as another shortly before, and how many the API's batch endpoint would have
// taken. Counted since the start; bounded, whatever is asked for. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace apiquota::guard {

// One route of an api, all keys together.
struct RouteCalls {
  std::string route;  // "POST /v1/embeddings", ids folded (route_of.h); "other": all beyond the bound
  uint64_t calls = 0;
  uint64_t identical = 0;  // the same key had asked just that within kIdenticalWithin before
  uint64_t batchable = 0;  // that the API's batch endpoint takes, too

  friend bool operator==(const RouteCalls&, const RouteCalls&) = default;
};

class CallReport {
 public:
  static constexpr size_t kRoutesMax = 256;
  static constexpr size_t kRecentMax = 4096;  // calls that are remembered: of more at once the oldest go
  static constexpr Micros kIdenticalWithin = std::chrono::minutes(10);

  // A route found once, so that further calls need no look-up; valid as long as the report.
  class Route {
   public:
    Route() = default;
    explicit operator bool() const { return calls_ != nullptr; }

   private:
    friend class CallReport;
    explicit Route(RouteCalls* calls) : calls_(calls) {}
    RouteCalls* calls_ = nullptr;
  };

  explicit CallReport(uint64_t seed) : seed_(seed) {}

  uint64_t seed() const { return seed_; }  // of digests (call_digest.h)

  Route RouteFor(std::string_view method, std::string_view path);
  // A call that was sent; `route` is one of this report's. True: another with this digest was sent shortly
  // before.
  bool Count(Route route, uint64_t digest, bool batchable, SystemTime now);

  // The most called first.
  std::vector<RouteCalls> View() const;

 private:
  // A set is looked through whole: few enough to be quick, enough that neighbours hardly push each other out.
  static constexpr size_t kWays = 4;
  struct Seen {
    uint64_t digest = 0;
    SystemTime at{};  // the epoch: none
  };
  struct Known {
    uint64_t name = 0;  // of the method and path, hashed
    RouteCalls* route = nullptr;
  };

  bool SeenBefore(uint64_t digest, SystemTime now);

  const uint64_t seed_;
  mutable std::mutex mutex_;
  std::map<std::string, RouteCalls, std::less<>> routes_;  // by name; guarded by mutex_, as is what follows
  std::array<Known, kRoutesMax> known_{};                  // so that a path is seldom folded twice
  std::vector<Seen> recent_;                               // kRecentMax, once there is a call
};

}  // namespace apiquota::guard
