#include "world_families.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace apiquota::world {

using provider::QuotaKind;
using simulate::LimitKind;
using Reset = Saying::Reset;

double DrawLimit(Random* random) {
  static constexpr std::array<double, 5> kLimits = {10, 30, 60, 100, 500};
  return random->OneOf(std::span<const double>(kLimits));
}

Scenario GreedyLoop(Random* random) {
  Scenario scenario;
  scenario.options.mode = guard::Mode::kOn;
  scenario.network.up = random->Between(Micros(1ms), Micros(120ms));
  scenario.network.down = random->Between(Micros(1ms), Micros(120ms));
  scenario.network.jitter_up = random->Between(Micros(0), Micros(40ms));
  scenario.network.jitter_down = random->Between(Micros(0), Micros(40ms));
  scenario.api.skew = random->Between(Micros(-5s), Micros(5s));
  scenario.api.service = random->Between(Micros(0), Micros(30ms));
  ClientOptions client;
  client.workers = static_cast<size_t>(random->Whole(1, 8));
  scenario.clients.push_back(client);
  static constexpr std::array<SubjectKind, 4> kSubjects = {SubjectKind::kAlone, SubjectKind::kTwins,
                                                           SubjectKind::kShared, SubjectKind::kModel};
  scenario.subject = random->OneOf(std::span<const SubjectKind>(kSubjects));
  if (scenario.subject == SubjectKind::kShared || scenario.subject == SubjectKind::kModel)
    scenario.loops = static_cast<uint32_t>(random->Whole(1, 4));
  scenario.expect.share = 0.97;
  scenario.expect.no_own_refusals = true;
  return scenario;
}

// Into the second half of the fourth to seventh window: what a late begin of each costs is not counted as a
// window that was not used.
Micros WindowsAndAHalf(const simulate::LimitOptions& limit, Random* random) {
  return limit.window * random->Whole(3, 6) + limit.window * random->Whole(50, 95) / 100;
}

// As many as take a window's limit within a tenth of the window, or what is said.
void EnoughWorkers(Scenario* scenario, double share_of_window) {
  const Network& network = scenario->network;
  const Micros round =
      network.up + network.down + network.jitter_up + network.jitter_down + scenario->api.service + 1ms;
  for (const simulate::LimitOptions& limit : scenario->api.enforcer.limits) {
    const double needed = limit.limit * ToSeconds(round) / (ToSeconds(limit.window) * share_of_window);
    const size_t workers = static_cast<size_t>(std::min(std::ceil(needed), limit.limit));
    scenario->clients[0].workers = std::max(scenario->clients[0].workers, workers);
  }
}

namespace {

// One limit, told by one quota.
Scenario OneQuota(Random* random, LimitKind kind, QuotaKind said, bool assumed) {
  Scenario scenario = GreedyLoop(random);
  simulate::LimitOptions limit;
  limit.kind = kind;
  limit.limit = DrawLimit(random);
  Saying saying;
  saying.kind = said;
  saying.kind_assumed = assumed;
  static constexpr std::array<Reset, 6> kResets = {Reset::kAbsolute, Reset::kAbsoluteUp, Reset::kAbsoluteDown,
                                                   Reset::kDelta,    Reset::kDeltaUp,    Reset::kDeltaDown};
  saying.reset = random->OneOf(std::span<const Reset>(kResets));
  if (random->Chance(0.5)) saying.window_seconds = 60;
  scenario.length = WindowsAndAHalf(limit, random);
  scenario.api.enforcer.limits = {limit};
  scenario.api.sayings = {saying};
  scenario.api.retry_after = random->Chance(0.5);
  EnoughWorkers(&scenario);
  return scenario;
}

Scenario Fixed(Random* random) { return OneQuota(random, LimitKind::kFixed, QuotaKind::kFixed, false); }
Scenario Aligned(Random* random) { return OneQuota(random, LimitKind::kAligned, QuotaKind::kFixed, false); }
Scenario GenericFixed(Random* random) { return OneQuota(random, LimitKind::kFixed, QuotaKind::kFixed, true); }
Scenario GenericAligned(Random* random) {
  return OneQuota(random, LimitKind::kAligned, QuotaKind::kFixed, true);
}

Scenario Sliding(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kSliding, QuotaKind::kSliding, false);
  scenario.api.sayings[0].window_seconds = 60;
  scenario.expect.share = 0.93;
  return scenario;
}
// A client that takes all at once can't tell the next two from each other, and waits for the said end: that
// costs as long as taking it took.
Scenario GenericSliding(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kSliding, QuotaKind::kFixed, true);
  EnoughWorkers(&scenario, 1.0 / 40);
  scenario.expect.share = 0.93;
  return scenario;
}
Scenario GenericElastic(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kElastic, QuotaKind::kFixed, true);
  EnoughWorkers(&scenario, 1.0 / 40);
  return scenario;
}

Scenario Bucket(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kBucket, QuotaKind::kBucket, false);
  Saying& saying = scenario.api.sayings[0];
  saying.reset = Reset::kDelta;
  saying.window_derived = !saying.window_seconds;
  return scenario;
}
// As Anthropic: per minute, absolute resets in whole seconds.
Scenario CoarseBucket(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kBucket, QuotaKind::kBucket, false);
  Saying& saying = scenario.api.sayings[0];
  saying.reset = Reset::kAbsoluteUp;
  saying.window_seconds = 60;
  return scenario;
}

Scenario SecondMinuteDay(Random* random) {
  static constexpr std::array<LimitKind, 3> kKinds = {LimitKind::kFixed, LimitKind::kAligned,
                                                      LimitKind::kSliding};
  const LimitKind kind = random->OneOf(std::span<const LimitKind>(kKinds));
  const bool sliding = kind == LimitKind::kSliding;
  Scenario scenario = OneQuota(random, kind, sliding ? QuotaKind::kSliding : QuotaKind::kFixed, false);
  const Saying first = scenario.api.sayings[0];
  scenario.network.jitter_most = 200ms;  // the margin of a second is a quarter of it
  scenario.clients[0].workers = 8;  // of a second's limit no more than that is asked for before it is known
  scenario.api.enforcer.limits.clear();
  scenario.api.sayings.clear();
  struct Window {
    const char* name;
    double limit;
    Micros window;
  };
  for (const Window& each : {Window{"requests-second", 10, 1s}, Window{"requests-minute", 100, 60s},
                             Window{"requests-day", 20000, 24h}}) {
    simulate::LimitOptions limit;
    limit.name = each.name;
    limit.kind = kind;
    limit.limit = each.limit;
    limit.window = each.window;
    Saying saying = first;
    saying.quota = each.name;
    saying.window_seconds = ToSeconds(each.window);
    scenario.api.enforcer.limits.push_back(limit);
    scenario.api.sayings.push_back(saying);
  }
  scenario.expect.share = 0.9;  // seconds are short for their margins
  return scenario;
}

// The API says nothing; the operator has read its documentation.
Scenario Declared(Random* random) {
  static constexpr std::array<LimitKind, 4> kKinds = {LimitKind::kFixed, LimitKind::kAligned,
                                                      LimitKind::kSliding, LimitKind::kBucket};
  const LimitKind kind = random->OneOf(std::span<const LimitKind>(kKinds));
  Scenario scenario = OneQuota(random, kind, QuotaKind::kSliding, false);
  scenario.api.sayings[0].said = false;
  scenario.declared = {{"declared", scenario.api.enforcer.limits[0].limit, 60s}};
  scenario.expect.share = kind == LimitKind::kBucket ? 0.45 : 0.9;  // its phase is not known
  return scenario;
}

// Documented, and what is left is said, but never until when.
Scenario NoReset(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kFixed, QuotaKind::kFixed, random->Chance(0.5));
  scenario.api.sayings[0].reset = Reset::kNone;
  scenario.api.sayings[0].window_seconds = 60;
  return scenario;
}

// After a while its answers say nothing of quotas any more; it goes on to enforce them.
Scenario FallsSilent(Random* random) {
  static constexpr std::array<LimitKind, 3> kKinds = {LimitKind::kFixed, LimitKind::kSliding,
                                                      LimitKind::kBucket};
  static constexpr std::array<QuotaKind, 3> kSaid = {QuotaKind::kFixed, QuotaKind::kSliding,
                                                     QuotaKind::kBucket};
  const auto which = static_cast<size_t>(random->Whole(0, 2));
  Scenario scenario = OneQuota(random, kKinds[which], kSaid[which], false);
  scenario.api.sayings[0].window_seconds = 60;
  scenario.api.silent_after = random->Between(Micros(1s), Micros(100s));
  scenario.expect.share = 0.93;
  return scenario;
}

Scenario ShortWindow(Random* random) {
  static constexpr std::array<LimitKind, 3> kKinds = {LimitKind::kFixed, LimitKind::kAligned,
                                                      LimitKind::kSliding};
  const LimitKind kind = random->OneOf(std::span<const LimitKind>(kKinds));
  const bool sliding = kind == LimitKind::kSliding;
  Scenario scenario = OneQuota(random, kind, sliding ? QuotaKind::kSliding : QuotaKind::kFixed, false);
  const Micros window = std::chrono::seconds(random->Whole(1, 10));
  scenario.api.enforcer.limits[0].window = window;
  scenario.api.sayings[0].window_seconds = ToSeconds(window);
  scenario.network.jitter_most = window / 5;  // the margin is a quarter
  scenario.expect.share = 0;
  EnoughWorkers(&scenario);
  return scenario;
}

// Several resources, each with a limit of its own.
Scenario Resources(Random* random) {
  Scenario scenario = OneQuota(random, LimitKind::kFixed, QuotaKind::kFixed, false);
  scenario.api.enforcer.scope = simulate::LimitScope::kKey;
  scenario.api.names_resource = true;
  scenario.named_by_answer = random->Chance(0.5);
  const ClientOptions first = scenario.clients[0];
  scenario.clients.clear();
  for (const char* resource : {"core", "search", "graphql"}) {
    ClientOptions client = first;
    client.resource = resource;
    client.route = std::string("GET /") + resource;
    scenario.clients.push_back(client);
  }
  return scenario;
}

constexpr std::array<Family, 15> kFamilies = {{{"fixed", Fixed},
                                               {"aligned", Aligned},
                                               {"generic-fixed", GenericFixed},
                                               {"generic-aligned", GenericAligned},
                                               {"sliding", Sliding},
                                               {"generic-sliding", GenericSliding},
                                               {"generic-elastic", GenericElastic},
                                               {"bucket", Bucket},
                                               {"coarse-bucket", CoarseBucket},
                                               {"second-minute-day", SecondMinuteDay},
                                               {"declared", Declared},
                                               {"no-reset", NoReset},
                                               {"falls-silent", FallsSilent},
                                               {"short-window", ShortWindow},
                                               {"resources", Resources}}};

}  // namespace

std::span<const Family> QuotaFamilies() { return kFamilies; }

std::span<const Family> Families() {
  static const std::vector<Family> all = [] {
    std::vector<Family> families;
    for (const auto& part : {QuotaFamilies(), TokenFamilies(), FaultFamilies(), StrictFamilies(),
                             EdgeFamilies(), SlotFamilies()}) {
      families.insert(families.end(), part.begin(), part.end());
    }
    return families;
  }();
  return all;
}

const Family* FindFamily(std::string_view name) {
  const auto found = std::ranges::find(Families(), name, &Family::name);
  return found == Families().end() ? nullptr : &*found;
}

Scenario Draw(const Family& family, uint64_t seed, double hours) {
  Random random(seed, 7);
  Scenario scenario = family.draw(&random);
  scenario.name = family.name;
  // What is about one moment stays as long as it is; in the long run each fixed window costs its margin.
  if (hours <= 0 || scenario.expect.released_evenly || scenario.expect.blocked_at_most) return scenario;
  scenario.length = SecondsToMicros(hours * 3600);
  scenario.expect.share = std::min(scenario.expect.share, 0.93);
  return scenario;
}

}  // namespace apiquota::world
