// Worlds of APIs that are hard to please: that enforce more than they say, count what they refuse, punish who
// comes early, limit what is under way, or say nothing at all.
#include <array>

#include "world_families.h"

namespace apiquota::world {
namespace {

using provider::QuotaKind;
using simulate::LimitKind;

// One limit of a minute, well told.
Scenario Told(Random* random, LimitKind kind) {
  Scenario scenario = GreedyLoop(random);
  simulate::LimitOptions limit;
  limit.kind = kind;
  limit.limit = DrawLimit(random);
  Saying saying;
  saying.kind = kind == LimitKind::kSliding ? QuotaKind::kSliding : QuotaKind::kFixed;
  saying.window_seconds = 60;
  scenario.api.enforcer.limits = {limit};
  scenario.api.sayings = {saying};
  scenario.length = WindowsAndAHalf(limit, random);
  EnoughWorkers(&scenario);
  return scenario;
}

// A sixtieth of it holds for each second, and nobody is told: refusals can't be ruled out, but clients are
// served.
Scenario HiddenSecond(Random* random) {
  static constexpr std::array<LimitKind, 3> kKinds = {LimitKind::kFixed, LimitKind::kAligned,
                                                      LimitKind::kSliding};
  Scenario scenario = Told(random, random->OneOf(std::span<const LimitKind>(kKinds)));
  scenario.api.enforcer.limits[0].limit = 60.0 * random->Whole(1, 10);
  scenario.api.enforcer.limits[0].sub_window = 1s;
  scenario.network.jitter_most = 200ms;  // the margin of a second is a quarter of it
  scenario.expect.no_api_refusals = false;
  scenario.expect.share = 0.3;
  scenario.expect.served = 0.8;
  return scenario;
}

// … but its documentation said so, and the operator has read it.
Scenario DeclaredSecond(Random* random) {
  Scenario scenario = HiddenSecond(random);
  scenario.declared = {{"second", scenario.api.enforcer.limits[0].limit / 60, 1s}};
  scenario.options.cold_concurrency = 1;
  scenario.clients[0].workers = 24;
  scenario.expect = {};
  scenario.expect.no_own_refusals = true;
  scenario.expect.share = 0.75;
  return scenario;
}

// Refused calls cost, and somebody else spends of the same key: hammering would never end.
Scenario RefusalsCount(Random* random) {
  Scenario scenario = Told(random, LimitKind::kSliding);
  scenario.api.enforcer.limits[0].limit = 100;
  scenario.api.enforcer.count_refused = true;
  scenario.api.others_per_second = random->Between(0.05, 0.3);
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_own_refusals = false;
  scenario.expect.share = 0.7;
  return scenario;
}

// Who comes before it was told to waits longer, and only refusals say anything. One call at a time: none is
// under way when another is refused.
Scenario EarlyPunished(Random* random) {
  Scenario scenario = Told(random, LimitKind::kFixed);
  scenario.api.enforcer.penalty = 20s;
  scenario.api.sayings[0].said = false;
  scenario.api.retry_after = true;
  scenario.clients[0].workers = 1;
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_early_calls = true;
  scenario.expect.share = 0;
  return scenario;
}

// No header, no Retry-After, nothing declared: the guard learns from refusals alone.
Scenario Silent(Random* random) {
  Scenario scenario = Told(random, LimitKind::kFixed);
  scenario.api.sayings[0].said = false;
  scenario.api.retry_after = false;
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_own_refusals = false;
  scenario.expect.share = 0.5;
  return scenario;
}

constexpr std::array<Family, 5> kFamilies = {{{"hidden-second", HiddenSecond, false},
                                              {"declared-second", DeclaredSecond},
                                              {"refusals-count", RefusalsCount},
                                              {"early-punished", EarlyPunished},
                                              {"silent", Silent, false}}};

}  // namespace

std::span<const Family> StrictFamilies() { return kFamilies; }

}  // namespace apiquota::world
