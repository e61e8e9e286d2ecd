// Worlds whose operator reloads, restarts or stops the agent, polls, or only wants to know; and clients that
// won't wait.
#include <array>
#include <vector>

#include "world_families.h"

namespace apiquota::world {
namespace {

using provider::QuotaKind;
using simulate::LimitKind;

// Any quota of any kind, with clients as in its own family.
Scenario AnyQuota(Random* random) {
  static constexpr std::array<std::string_view, 5> kOn = {"fixed", "aligned", "sliding", "bucket",
                                                          "generic-fixed"};
  Scenario scenario = FindFamily(random->OneOf(std::span<const std::string_view>(kOn)))->draw(random);
  scenario.expect.share = 0;
  return scenario;
}

std::vector<Micros> Moments(Random* random, Micros within, int64_t most) {
  std::vector<Micros> moments(static_cast<size_t>(random->Whole(1, most)));
  for (Micros& at : moments) at = random->Between(Micros(0), within);
  return moments;
}

Scenario Reloaded(Random* random) {
  Scenario scenario = AnyQuota(random);
  scenario.reloads = Moments(random, scenario.length, 50);
  scenario.expect.no_own_refusals =
      false;  // more headroom: who waits may have to wait for longer than it can
  return scenario;
}

// What was sent before counts in the window of an API that says nothing itself.
Scenario Restarted(Random* random) {
  Scenario scenario = FindFamily("declared")->draw(random);
  scenario.subject = SubjectKind::kShared;
  scenario.restarts = Moments(random, scenario.length, 5);
  scenario.expect.share = 0;
  return scenario;
}

Scenario Drained(Random* random) {
  Scenario scenario = AnyQuota(random);
  scenario.clients[0].workers *= 2;
  scenario.drain_at = random->Between(Micros(1s), scenario.length);
  scenario.expect.no_own_refusals = false;
  return scenario;
}

// Polls are counted, and never wait: at most as many calls as there are polls can be too many.
Scenario Polled(Random* random) {
  Scenario scenario = AnyQuota(random);
  ClientOptions polls;
  polls.kind = ClientOptions::Kind::kPoisson;
  polls.flow = "polls";
  polls.per_second = random->Between(0.05, 0.5);
  polls.poll = true;
  scenario.clients.push_back(polls);
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_own_refusals = false;
  return scenario;
}

// It decides and changes nothing: everything goes at once.
Scenario Shadowed(Random* random) {
  Scenario scenario = AnyQuota(random);
  scenario.subject = SubjectKind::kShared;
  scenario.options.mode = guard::Mode::kShadow;
  scenario.expect.no_api_refusals = false;
  return scenario;
}

// They give their requests 2 s: who can't go by then is refused at once.
Scenario Impatient(Random* random) {
  Scenario scenario = AnyQuota(random);
  ClientOptions& client = scenario.clients[0];
  client.workers *= 2;
  client.timeout = 2s;
  client.patience_most = 1s;
  scenario.expect.no_own_refusals = false;
  scenario.expect.refused_at_once = 0.9;
  return scenario;
}

constexpr std::array<Family, 6> kFamilies = {{{"reloaded", Reloaded},
                                              {"restarted", Restarted},
                                              {"drained", Drained},
                                              {"polled", Polled},
                                              {"shadowed", Shadowed},
                                              {"impatient", Impatient}}};

}  // namespace

std::span<const Family> EdgeFamilies() { return kFamilies; }

}  // namespace apiquota::world
