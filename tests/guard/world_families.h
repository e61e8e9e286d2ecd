// The worlds that are drawn from seeds, by family: one for each kind of quota and way of telling it, and one
// for each thing that goes wrong. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "world_random.h"
#include "world_scenario.h"

namespace apiquota::world {

struct Family {
  std::string_view name;
  Scenario (*draw)(Random* random);
  bool every_build = true;  // its worlds run in every build; the others only by name or all together
};

std::span<const Family> Families();
const Family* FindFamily(std::string_view name);
// `hours`: as long as that instead of some windows; 0: as drawn.
Scenario Draw(const Family& family, uint64_t seed, double hours = 0);

// Parts of them.
Scenario GreedyLoop(Random* random);  // a client as fast as it can, through the guard
void EnoughWorkers(Scenario* scenario, double share_of_window = 0.1);  // of its first client
double DrawLimit(Random* random);                                      // per window
Micros WindowsAndAHalf(const simulate::LimitOptions& limit, Random* random);
std::span<const Family> QuotaFamilies();
std::span<const Family> TokenFamilies();
std::span<const Family> FaultFamilies();
std::span<const Family> StrictFamilies();
std::span<const Family> EdgeFamilies();
std::span<const Family> SlotFamilies();

}  // namespace apiquota::world
