// The API of a world: simulate::Enforcer decides, and what it says is put into the readings that the
// extraction would make of its answers. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "guard/values.h"
#include "provider/exporter_rules.h"
#include "simulate/enforcer.h"
#include "world_random.h"
#include "world_scenario.h"

namespace apiquota::world {

// An answer on its way.
struct Reply {
  int status = 200;
  uint64_t call = 0;  // of the enforcer; 0: refused, or it failed
  std::vector<provider::Reading> readings;
  std::vector<std::optional<Micros>> deltas;  // beside them: a reset that counts from the receipt
  std::vector<provider::WindowRule> windows;  // … and whether its window is reckoned from it
  std::optional<provider::Throttle> throttle;
  std::optional<double> retry_after_seconds;
  std::optional<SystemTime> date;
  std::string resource;
};

class Api {
 public:
  Api(const ApiOptions& options, SystemTime start, uint64_t seed);

  // A call arrives.
  Reply Handle(const std::string& resource, const simulate::CallCost& cost, SystemTime now);
  void End(uint64_t call, const simulate::CallCost& actual, SystemTime now);
  // What the answer to a request of `asked_at` says, once it has come: as extraction completes it.
  static void Receive(Reply* reply, SystemTime asked_at, SystemTime now);
  // Somebody else's call, which ends with End(); 0: it was refused.
  uint64_t Other(SystemTime now);

  simulate::Truth TruthAt(SystemTime now) const;
  uint64_t refusals() const { return refusals_; }  // by its limits
  uint64_t arrivals() const { return arrivals_; }
  Micros blocked() const { return blocked_; }
  uint64_t arrivals_in_outages() const { return in_outages_; }

 private:
  void Say(const simulate::Call& call, SystemTime now, Reply* reply);
  bool Odd(SystemTime now, Reply* reply);
  bool Out(SystemTime now, Reply* reply);
  void Refuse(const simulate::Verdict& verdict, Reply* reply) const;

  ApiOptions options_;
  SystemTime start_;
  simulate::Enforcer enforcer_;
  Random random_;
  size_t oddities_done_ = 0;
  std::optional<Oddity> odd_reading_;
  uint64_t refusals_ = 0, arrivals_ = 0, in_outages_ = 0;
  std::optional<SystemTime> last_arrival_;
  Micros blocked_{};
};

}  // namespace apiquota::world
