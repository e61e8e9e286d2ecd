// Worlds in which something goes wrong, or somebody is unfair.
#include <array>

#include "world_families.h"

namespace apiquota::world {
namespace {

using provider::QuotaKind;
using simulate::LimitKind;

// An API with one fixed window of a minute, well told.
Scenario Plain(Random* random, double amount) {
  Scenario scenario = GreedyLoop(random);
  simulate::LimitOptions limit;
  limit.limit = amount;
  Saying saying;
  saying.window_seconds = 60;
  scenario.api.enforcer.limits = {limit};
  scenario.api.sayings = {saying};
  scenario.length = WindowsAndAHalf(limit, random);
  EnoughWorkers(&scenario);
  scenario.expect.share = 0;
  scenario.expect.no_own_refusals = false;
  return scenario;
}

Scenario Faults(Random* random) {
  static constexpr std::array<std::string_view, 6> kOn = {"fixed",  "aligned",        "sliding",
                                                          "bucket", "tokens-settled", "tokens-at-end"};
  Scenario scenario = FindFamily(random->OneOf(std::span<const std::string_view>(kOn)))->draw(random);
  scenario.network.unsent = random->Between(0, 0.05);
  scenario.network.lost_up = random->Between(0, 0.03);
  scenario.network.lost_down = random->Between(0, 0.03);
  scenario.api.fails = random->Between(0, 0.05);
  ClientOptions& client = scenario.clients[0];
  client.workers = 10;
  client.leaves = random->Between(0, 0.2);
  client.repeatable = random->Chance(0.5);
  if (random->Chance(0.3)) client.timeout = random->Between(Micros(1s), Micros(30s));
  // What a stream costs in the end whose client has left, nobody tells.
  if (client.charged_at_end) scenario.expect.no_api_refusals = false;
  scenario.expect.share = 0;
  scenario.expect.no_own_refusals = false;
  return scenario;
}

Scenario Mixed(Random* random) {
  Scenario scenario = Plain(random, DrawLimit(random));
  ClientOptions poisson;
  poisson.kind = ClientOptions::Kind::kPoisson;
  poisson.flow = "poisson";
  poisson.per_second = random->Between(0.1, 5);
  poisson.timeout = random->Between(Micros(1s), Micros(60s));
  ClientOptions bursts;
  bursts.kind = ClientOptions::Kind::kBursts;
  bursts.flow = "bursts";
  bursts.burst = static_cast<size_t>(random->Whole(1, 100));
  bursts.every = random->Between(Micros(5s), Micros(90s));
  bursts.leaves = 0.3;
  scenario.clients.push_back(poisson);
  scenario.clients.push_back(bursts);
  return scenario;
}

// One has ten times the workers of the others; all always wait.
Scenario NoisyCaller(Random* random) {
  Scenario scenario = Plain(random, 300);
  scenario.api.enforcer.limits[0].kind = LimitKind::kBucket;
  scenario.api.sayings[0].kind = QuotaKind::kBucket;
  scenario.api.sayings[0].reset = Saying::Reset::kDelta;
  scenario.options.queue.max_wait = 600s;
  scenario.clients[0].flow = "noisy";
  scenario.clients[0].workers = 100;
  for (int i = 0; i < 4; ++i) {
    ClientOptions quiet;
    quiet.flow = "quiet " + std::to_string(i);
    quiet.workers = 10;
    scenario.clients.push_back(quiet);
  }
  scenario.length = 600s;
  scenario.expect.jain = 0.95;
  scenario.expect.service_gap = 3;
  return scenario;
}

// The first class would take everything; the last is served within its bound.
Scenario Classes(Random* random) {
  Scenario scenario = NoisyCaller(random);
  scenario.clients.resize(1);
  scenario.clients[0].urgency = 0;
  scenario.clients[0].workers = 30;
  ClientOptions last;
  last.flow = "last";
  last.urgency = 7;
  scenario.clients.push_back(last);
  scenario.expect = {};
  scenario.expect.longest_wait = 15s;
  return scenario;
}

// A thousand come while the window is used up.
Scenario Crowd(Random* random) {
  Scenario scenario = Plain(random, 2000);
  scenario.api.enforcer.limits[0].kind = LimitKind::kAligned;
  scenario.options.queue.size = 5000;
  scenario.options.cold_concurrency = 2000;
  ClientOptions& first = scenario.clients[0];  // uses up the window
  first.kind = ClientOptions::Kind::kBursts;
  first.burst = 2000;
  first.every = 3600s;
  ClientOptions crowd = first;
  crowd.flow = "crowd";
  crowd.burst = 1000;
  crowd.begins = 1s;
  scenario.clients.push_back(crowd);
  scenario.network.up = scenario.network.down = 1ms;
  scenario.length = 100s;
  scenario.expect.released_evenly = true;
  return scenario;
}

// … which nobody says is fixed: what was sent at once may go again at once.
Scenario GenericCrowd(Random* random) {
  Scenario scenario = Crowd(random);
  scenario.api.sayings[0].kind_assumed = true;
  return scenario;
}

Scenario SlidingCrowd(Random* random) {
  Scenario scenario = Crowd(random);
  scenario.api.enforcer.limits[0].kind = LimitKind::kSliding;
  scenario.api.sayings[0].kind = QuotaKind::kSliding;
  return scenario;
}

// Some calls are refused without a reason while all others are served.
Scenario Bare(Random* random) {
  Scenario scenario = Plain(random, 600);
  scenario.api.bare = random->Between(0.005, 0.03);
  scenario.expect.share = 0.5;
  scenario.expect.served = 0.9;
  return scenario;
}

// The API refuses everything for a while, and each time says for how long.
Scenario Lapse(Random* random) {
  Scenario scenario = Plain(random, 600);
  scenario.api.enforcer.limits[0].limit = 1'000'000;
  const Micros told = std::chrono::seconds(random->Whole(2, 20));
  const Micros from = 20s, lasts = told * random->Whole(2, 6) + 500ms;
  scenario.api.outages = {{from, from + lasts, 429, ToSeconds(told), true}};
  scenario.length = from + lasts + 60s;
  scenario.clients[0].workers = 4;
  // Those under way at the first refusal, and one a lapse.
  scenario.expect.attempts_in_outage = 4 + static_cast<size_t>(lasts / told) + 1;
  scenario.expect.blocked_at_most = told * 3 / 2 + 15s;
  return scenario;
}

Scenario Year(Random* random) {
  Scenario scenario = Plain(random, 60);
  scenario.api.oddities = {{.after = 30s, .retry_after_seconds = 365.0 * 86400}};
  scenario.clients[0].patience_most = 10s;
  scenario.length = 1200s;
  scenario.expect.blocked_at_most = 5min + 30s;
  return scenario;
}

Scenario WrongReading(Random* random) {
  Scenario scenario = Plain(random, 60);
  scenario.api.oddities = {{.after = 30s, .remaining = 0, .reset_seconds = 300.0 * 86400}};
  scenario.clients[0].patience_most = 10s;
  scenario.length = 1200s;
  scenario.expect.blocked_at_most = 5min + 30s;
  return scenario;
}

// What is used as a share of 1: not paced, stopped at full use.
Scenario Unified(Random* random) {
  Scenario scenario = Plain(random, 100);
  simulate::LimitOptions& limit = scenario.api.enforcer.limits[0];
  limit.window = 5h;
  limit.limit = 100'000;
  Saying& saying = scenario.api.sayings[0];
  saying.unit = "ratio";
  saying.quota = "unified-5h";
  saying.window_seconds = 5 * 3600;
  scenario.expect.served = 1;
  scenario.expect.no_own_refusals = true;
  scenario.expect.blocked_at_most = 5s;
  return scenario;
}

// … until it is used up: who comes then is refused, by us.
Scenario UnifiedInFull(Random* random) {
  Scenario scenario = Unified(random);
  scenario.api.enforcer.limits[0].limit = 1000;  // said to the hundredth: full use is said 5 before the end
  scenario.clients[0].workers = 4;
  scenario.clients[0].patience_most = 10s;
  scenario.expect = {};
  scenario.expect.share = 0.97;
  return scenario;
}

// Everything fails, and nobody says why.
Scenario Down(Random* random) {
  Scenario scenario = Plain(random, 1'000'000);
  scenario.api.fails = 1;
  scenario.clients[0].kind = ClientOptions::Kind::kPoisson;
  scenario.clients[0].per_second = 60;
  scenario.clients[0].repeatable = true;
  scenario.length = 60s;
  scenario.expect.attempts_bounded = true;
  return scenario;
}

// Somebody else spends of the same key: refusals can't be ruled out.
Scenario Others(Random* random) {
  Scenario scenario = Plain(random, 100);
  scenario.api.others_per_second = random->Between(0.1, 1);
  scenario.api.skew = 0us;
  scenario.expect.no_api_refusals = false;
  return scenario;
}

constexpr std::array<Family, 15> kFamilies = {{{"faults", Faults, false},
                                               {"mixed", Mixed},
                                               {"noisy-caller", NoisyCaller},
                                               {"classes", Classes},
                                               {"crowd", Crowd},
                                               {"generic-crowd", GenericCrowd},
                                               {"sliding-crowd", SlidingCrowd},
                                               {"bare-429", Bare},
                                               {"lapse", Lapse},
                                               {"year", Year},
                                               {"wrong-reading", WrongReading},
                                               {"unified", Unified},
                                               {"unified-in-full", UnifiedInFull},
                                               {"down", Down},
                                               {"others", Others}}};

}  // namespace

std::span<const Family> FaultFamilies() { return kFamilies; }

}  // namespace apiquota::world
