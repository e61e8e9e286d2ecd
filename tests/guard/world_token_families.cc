// Worlds of token quotas: charged when a call comes, put right at its end, or charged at its end.
#include <array>

#include "world_families.h"

namespace apiquota::world {
namespace {

using provider::QuotaKind;
using simulate::Charge;
using simulate::LimitKind;
using simulate::LimitUnit;

simulate::LimitOptions Limit(const char* name, LimitKind kind, LimitUnit unit, double amount, Charge charge) {
  simulate::LimitOptions limit;
  limit.name = name;
  limit.kind = kind;
  limit.unit = unit;
  limit.limit = amount;
  limit.charge = charge;
  return limit;
}

Saying Says(const char* quota, const char* unit, QuotaKind kind) {
  Saying saying;
  saying.quota = quota;
  saying.unit = unit;
  saying.kind = kind;
  saying.reset = Saying::Reset::kDelta;
  return saying;
}

// Calls of a language model against tokens and requests a minute.
Scenario Model(Random* random, LimitKind kind, Charge charge) {
  Scenario scenario = GreedyLoop(random);
  const bool bucket = kind == LimitKind::kBucket;
  const QuotaKind said = bucket ? QuotaKind::kBucket : QuotaKind::kFixed;
  scenario.api.enforcer.limits = {
      Limit("requests", kind, LimitUnit::kRequests, 500, Charge::kStart),
      Limit("tokens", kind, LimitUnit::kTokens, random->Between(40'000, 90'000), charge)};
  scenario.api.sayings = {Says("requests", "requests", said), Says("tokens", "tokens", said)};
  for (Saying& saying : scenario.api.sayings) {
    if (bucket) {
      saying.window_derived = true;
    } else {
      saying.window_seconds = 60;
    }
  }
  ClientOptions& client = scenario.clients[0];
  client.resource = "gpt-x";
  client.route = "POST /v1/chat/completions";
  client.repeatable = false;
  client.workers = 16;
  client.capped = charge != Charge::kEnd;
  client.charged_at_end = charge == Charge::kEnd;
  client.tokens = TokenHabits{};
  if (random->Chance(0.5)) client.tokens->stream = random->Between(Micros(500ms), Micros(4s));
  scenario.length = WindowsAndAHalf(scenario.api.enforcer.limits[1], random);
  scenario.expect.share = 0.93;
  return scenario;
}

Scenario AtStart(Random* random) { return Model(random, LimitKind::kBucket, Charge::kStart); }
Scenario Settled(Random* random) { return Model(random, LimitKind::kBucket, Charge::kSettled); }
Scenario AtEnd(Random* random) { return Model(random, LimitKind::kBucket, Charge::kEnd); }
Scenario FixedTokens(Random* random) { return Model(random, LimitKind::kFixed, Charge::kStart); }

// Input and output apart, what is left in thousands, resets in whole seconds.
Scenario InputAndOutput(Random* random) {
  Scenario scenario = Model(random, LimitKind::kBucket, Charge::kSettled);
  scenario.api.enforcer.limits = {
      Limit("requests", LimitKind::kBucket, LimitUnit::kRequests, 500, Charge::kStart),
      Limit("input-tokens", LimitKind::kBucket, LimitUnit::kInputTokens, 50'000, Charge::kStart),
      Limit("output-tokens", LimitKind::kBucket, LimitUnit::kOutputTokens, 40'000, Charge::kSettled)};
  scenario.api.sayings = {Says("requests", "requests", QuotaKind::kBucket),
                          Says("input-tokens", "tokens", QuotaKind::kBucket),
                          Says("output-tokens", "tokens", QuotaKind::kBucket)};
  for (Saying& saying : scenario.api.sayings) {
    saying.window_seconds = 60;
    saying.reset = Saying::Reset::kAbsoluteUp;
    if (saying.unit == "tokens") saying.remaining_step = 1000;
  }
  return scenario;
}

// Bytes tell tokens badly: refusals can't be ruled out, all else holds.
Scenario Guesses(Random* random) {
  Scenario scenario = Model(random, LimitKind::kBucket, Charge::kSettled);
  scenario.clients[0].tokens->ratio_spread = 0.4;
  scenario.expect.no_api_refusals = false;
  scenario.expect.no_own_refusals = false;
  scenario.expect.share = 0.85;
  scenario.expect.served = 0.97;
  return scenario;
}

// A guess that is larger than the limit runs alone on a full bucket.
Scenario LargeGuesses(Random* random) {
  Scenario scenario = Model(random, LimitKind::kBucket, Charge::kEnd);
  scenario.api.enforcer.limits[1].limit = 1500;
  scenario.clients[0].tokens = TokenHabits{.input = 200, .cap = 4000, .used = 0.05};
  scenario.clients[0].workers = 2;
  scenario.expect.share = 0;
  scenario.expect.served = 0.9;
  scenario.expect.no_own_refusals = false;
  return scenario;
}

constexpr std::array<Family, 7> kFamilies = {{{"tokens-at-start", AtStart},
                                              {"tokens-settled", Settled},
                                              {"tokens-at-end", AtEnd},
                                              {"tokens-fixed", FixedTokens},
                                              {"input-and-output", InputAndOutput},
                                              {"token-guesses", Guesses},
                                              {"large-guesses", LargeGuesses}}};

}  // namespace

std::span<const Family> TokenFamilies() { return kFamilies; }

}  // namespace apiquota::world
