// Worlds about how much is under way at a time: slots as written, limits on calls at once that an API tells,
// adaptive slots before one that tells nothing, others on the same key; and APIs that are down, behind a
// breaker.
#include <array>

#include "world_families.h"

namespace apiquota::world {
namespace {

using provider::QuotaKind;
using simulate::LimitKind;

// A slot is empty while an answer and the next request are under way.
double FullUse(const Scenario& scenario) {
  const Network& network = scenario.network;
  const Micros service = scenario.api.service;
  const Micros travel = network.up + network.down + network.jitter_up + network.jitter_down;
  return ToSeconds(service) / ToSeconds(service + travel);
}

// An API that takes so many calls at once, each of which takes its time.
Scenario AtOnce(Random* random) {
  Scenario scenario = GreedyLoop(random);
  simulate::LimitOptions limit;
  limit.name = "concurrency";
  limit.kind = LimitKind::kConcurrency;
  limit.limit = static_cast<double>(random->Whole(1, 20));
  Saying saying;
  saying.quota = "concurrency";
  saying.unit = "concurrent-requests";
  saying.kind = QuotaKind::kConcurrency;
  saying.reset = Saying::Reset::kNone;
  saying.said = false;
  scenario.api.enforcer.limits = {limit};
  scenario.api.sayings = {saying};
  scenario.api.service = random->Between(Micros(200ms), Micros(2s));
  scenario.api.retry_after = false;
  scenario.clients[0].workers = static_cast<size_t>(limit.limit) + static_cast<size_t>(random->Whole(1, 20));
  scenario.length = 90s;
  scenario.expect.share = 0.8 * FullUse(scenario);
  return scenario;
}

Scenario Written(Random* random) {
  Scenario scenario = AtOnce(random);
  scenario.options.concurrency = guard::ConcurrencyOptions{};
  scenario.options.concurrency->max = static_cast<size_t>(scenario.api.enforcer.limits[0].limit);
  return scenario;
}

// Beside a limit of a minute, for several models, with clients of little patience.
Scenario WrittenBesideAWindow(Random* random) {
  Scenario scenario = Written(random);
  simulate::LimitOptions limit;
  limit.limit = DrawLimit(random);
  Saying saying;
  saying.window_seconds = 60;
  scenario.api.enforcer.limits.push_back(limit);
  scenario.api.sayings.push_back(saying);
  scenario.clients[0].resource = "a";
  ClientOptions other = scenario.clients[0];
  other.flow = "other";
  other.resource = "b";
  other.timeout = random->Between(Micros(2s), Micros(60s));
  scenario.clients.push_back(other);
  scenario.length = 200s;
  scenario.expect.share = 0;
  scenario.expect.no_own_refusals = false;
  scenario.expect.no_api_refusals = false;  // who gives up leaves a call at the API
  scenario.expect.refused = 0.2;
  return scenario;
}

// Streams, failures, leavers, broken connections, polls: whatever happens, none is held at the end.
Scenario WrittenFaults(Random* random) {
  Scenario scenario = Written(random);
  scenario.options.concurrency->adaptive = random->Chance(0.5);
  scenario.network.unsent = random->Between(0, 0.05);
  scenario.network.lost_up = random->Between(0, 0.03);
  scenario.network.lost_down = random->Between(0, 0.03);
  scenario.api.fails = random->Between(0, 0.05);
  ClientOptions& client = scenario.clients[0];
  client.tokens = TokenHabits{};
  client.tokens->stream = random->Between(Micros(0), Micros(2s));
  client.leaves = random->Between(0, 0.3);
  client.leaves_within = 3s;
  client.repeatable = random->Chance(0.5);
  if (random->Chance(0.3)) client.timeout = random->Between(Micros(1s), Micros(30s));
  if (random->Chance(0.3)) {
    ClientOptions poll;
    poll.kind = ClientOptions::Kind::kPoisson;
    poll.flow = "poll";
    poll.per_second = 0.5;
    poll.poll = true;
    scenario.clients.push_back(poll);
  }
  if (random->Chance(0.3)) scenario.reloads = {20s, 40s};
  scenario.expect = {};
  scenario.expect.no_api_refusals = false;
  return scenario;
}

// The API tells how many it takes, and how many there are.
Scenario Told(Random* random) {
  Scenario scenario = AtOnce(random);
  scenario.options.cold_concurrency = 1;
  scenario.api.service = random->Between(Micros(50ms), Micros(150ms));  // unanswered after 2 s counts as good
  scenario.expect.share = 0.8 * FullUse(scenario);
  scenario.api.sayings[0].said = true;
  scenario.api.sayings[0].remaining_said = random->Chance(0.7);
  return scenario;
}

// … and others hold some of them.
Scenario ToldWithOthers(Random* random) {
  Scenario scenario = Told(random);
  scenario.api.enforcer.limits[0].limit = 20;
  scenario.api.sayings[0].remaining_said = true;
  scenario.clients[0].workers = 30;
  scenario.api.service = random->Between(Micros(200ms), Micros(2s));
  scenario.api.others_hold = scenario.api.service;
  scenario.api.others_per_second = random->Between(2, 8) / ToSeconds(scenario.api.service);
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_own_refusals = false;
  scenario.expect.refused = 0.15;
  scenario.expect.served = 0.95;
  scenario.expect.share = 0.5;
  return scenario;
}

// Nothing is told but that there are too many.
Scenario Adaptive(Random* random) {
  Scenario scenario = AtOnce(random);
  const double limit = scenario.api.enforcer.limits[0].limit = static_cast<double>(random->Whole(3, 30));
  scenario.options.concurrency = guard::ConcurrencyOptions{};
  scenario.options.concurrency->max = static_cast<size_t>(4 * limit);
  scenario.options.concurrency->adaptive = true;
  scenario.api.service = random->Between(Micros(200ms), Micros(1s));
  scenario.clients[0].workers = static_cast<size_t>(4 * limit);
  if (random->Chance(0.5)) scenario.api.signal = provider::ThrottleSignal::kBody;  // evidence
  scenario.length = 300s;
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_own_refusals = false;
  scenario.expect.refused = 0.3;  // of three the fourth is tried after every few
  scenario.expect.served = 0.9;
  scenario.expect.share = 0.4;
  return scenario;
}

Scenario WithBreaker(Random* random) {
  Scenario scenario = GreedyLoop(random);
  scenario.options.breaker = guard::BreakerOptions{};
  scenario.api.enforcer.limits = {simulate::LimitOptions{}};
  scenario.api.enforcer.limits[0].limit = 1'000'000;
  scenario.api.sayings = {Saying{}};
  ClientOptions& client = scenario.clients[0];
  client.kind = ClientOptions::Kind::kPoisson;
  client.per_second = random->Between(5, 40);
  scenario.length = 200s;
  scenario.expect = {};
  return scenario;
}

// Down for a minute or two: what is under way when it opens, and one in each lapse.
Scenario BreakerOutage(Random* random) {
  Scenario scenario = WithBreaker(random);
  const Micros from = random->Between(Micros(10s), Micros(30s));
  const Micros to = from + random->Between(Micros(30s), Micros(100s));
  scenario.api.outages = {{from, to, 503, std::nullopt, false}};
  scenario.options.breaker->open = random->Between(Micros(2s), Micros(10s));
  scenario.options.retry.mode = random->Chance(0.5) ? guard::Mode::kOn : guard::Mode::kOff;
  const double round = 4 * 0.12 + 0.1;
  scenario.expect.attempts_in_outage =
      5 + static_cast<size_t>(2 * round * scenario.clients[0].per_second + 20) + 6;
  return scenario;
}

// It fails by chance, clients leave, connections break: it opens and closes, and no probe is lost.
Scenario BreakerFaults(Random* random) {
  Scenario scenario = WithBreaker(random);
  scenario.options.breaker->open = random->Between(Micros(100ms), Micros(5s));
  scenario.options.breaker->open_max = scenario.options.breaker->open * random->Whole(1, 8);
  scenario.options.breaker->errors = static_cast<size_t>(random->Whole(0, 5));
  scenario.api.fails = random->Between(0.1, 0.9);
  scenario.network.unsent = random->Between(0, 0.1);
  scenario.network.lost_up = random->Between(0, 0.1);
  scenario.network.lost_down = random->Between(0, 0.1);
  scenario.api.bare = random->Between(0, 0.05);
  scenario.api.service = random->Between(Micros(1ms), Micros(2s));
  scenario.clients[0].leaves = random->Between(0, 0.4);
  scenario.clients[0].leaves_within = 2s;
  if (random->Chance(0.5)) {
    scenario.options.concurrency = guard::ConcurrencyOptions{};
    scenario.options.concurrency->max = static_cast<size_t>(random->Whole(1, 10));
  }
  if (random->Chance(0.3)) scenario.drain_at = 100s;
  scenario.expect.no_api_refusals = false;
  return scenario;
}

// A throttle is no ill health, however many there are.
Scenario BreakerThrottled(Random* random) {
  Scenario scenario = WithBreaker(random);
  scenario.api.outages = {{20s, 40s, random->Chance(0.5) ? 503 : 429, 5.0, true}};
  scenario.options.breaker->open = 300s;
  scenario.expect.served = 0.9;
  return scenario;
}

constexpr std::array<Family, 9> kFamilies = {{{"slots", Written},
                                              {"slots-and-window", WrittenBesideAWindow},
                                              {"slots-faults", WrittenFaults},
                                              {"slots-told", Told},
                                              {"slots-others", ToldWithOthers},
                                              {"slots-adaptive", Adaptive},
                                              {"breaker-outage", BreakerOutage},
                                              {"breaker-faults", BreakerFaults},
                                              {"breaker-throttled", BreakerThrottled}}};

}  // namespace

std::span<const Family> SlotFamilies() { return kFamilies; }

}  // namespace apiquota::world
