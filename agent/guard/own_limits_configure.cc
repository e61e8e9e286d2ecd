// Limits anew, over a reload and over a restart: which of the rules that are there now goes on with what an
// earlier one has counted.
#include <algorithm>

#include "guard/own_limits_match.h"
#include "guard/own_limits_state.h"

namespace apiquota::guard {
namespace {

bool GoesOn(const LimitRule& old, const LimitRule& rule) {
  return old.name == rule.name && old.algorithm == rule.algorithm && old.unit == rule.unit &&
         old.window == rule.window && old.by == rule.by;
}

// Where a rule looks for what it goes on with: what is for the same requests before what is only called so,
// its own set before the other one.
template <class Look>
void InTurn(const Look& look) {
  for (const bool match_too : {true, false}) {
    for (const bool elsewhere : {false, true}) look(match_too, elsewhere);
  }
}

}  // namespace

// One set while its rules are changed.
struct OwnLimits::Change {
  State* state;
  std::vector<LimitRule> rules;
  std::vector<std::string> exempt;
  std::vector<std::unique_ptr<Rule>> old = {};

  // The first of the old rules that this one goes on with.
  std::unique_ptr<Rule> Give(const LimitRule& rule, bool match_too) {
    for (auto& each : old) {
      if (each && GoesOn(each->rule, rule) && (!match_too || each->rule.match == rule.match))
        return std::move(each);
    }
    return nullptr;
  }
  void Take(Change* from, bool match_too) {
    for (size_t i = 0; i < rules.size(); ++i) {
      if (!state->rules[i]) state->rules[i] = from->Give(rules[i], match_too);
    }
  }
};

void OwnLimits::Configure(std::vector<Change>* changes) {
  for (Change& change : *changes) {
    change.old = std::exchange(change.state->rules, {});
    change.state->rules.resize(change.rules.size());
  }
  InTurn([&](bool match_too, bool elsewhere) {
    for (Change& to : *changes) {
      for (Change& from : *changes) {
        if ((&to != &from) == elsewhere) to.Take(&from, match_too);
      }
    }
  });
  for (Change& change : *changes) change.state->Order(&change.rules, std::move(change.exempt));
}

// Those of its rules that go on with nothing are made.
void OwnLimits::State::Order(std::vector<LimitRule>* changed, std::vector<std::string> paths) {
  exempt = std::move(paths);
  names_paths = !exempt.empty() ||
                std::ranges::any_of(*changed, [](const LimitRule& rule) { return !rule.match.path.empty(); });
  by_name.clear();
  whose.clear();
  for (size_t i = 0; i < rules.size(); ++i) {
    auto& rule = rules[i];
    if (rule) rule->Change(std::move((*changed)[i]));
    if (!rule) rule = std::make_unique<Rule>(++last_id, std::move((*changed)[i]), rule_bytes_max);
    rule->whose = PlaceOf(rule->rule.by);
    const auto same = std::ranges::find_if(
        by_name, [&](const auto& others) { return others.front()->rule.name == rule->rule.name; });
    if (same == by_name.end()) {
      by_name.push_back({rule.get()});
    } else {
      same->push_back(rule.get());
    }
  }
}

void OwnLimits::Configure(std::vector<LimitRule> rules, std::vector<std::string> exempt) {
  std::vector<Change> changes(1);
  changes[0] = {state_.get(), std::move(rules), std::move(exempt)};
  Configure(&changes);
}

void OwnLimits::Configure(Set first, Set second) {
  std::vector<Change> changes;
  for (Set* set : {&first, &second}) {
    auto& limits = *set->limits;
    if (!limits && set->rules.empty()) continue;
    if (!limits) limits = std::make_unique<OwnLimits>(std::vector<LimitRule>());
    changes.push_back({limits->state_.get(), std::move(set->rules), std::move(set->exempt)});
  }
  if (changes.size() == 2) {  // whoever is known in one set is known in the other
    State &one = *changes[0].state, &other = *changes[1].state;
    (one.rules.empty() ? one : other).key = (one.rules.empty() ? other : one).key;
  }
  Configure(&changes);
  for (Set* set : {&first, &second}) {
    if (*set->limits && (*set->limits)->empty()) set->limits->reset();
  }
}

void OwnLimits::Restore(const SavedOwnLimits& saved, SystemTime now) {
  Restore(this, saved, nullptr, {}, now);
}

void OwnLimits::Restore(OwnLimits* first, const SavedOwnLimits& of_first, OwnLimits* second,
                        const SavedOwnLimits& of_second, SystemTime now) {
  const HashKey key = (of_first.limits.empty() ? of_second : of_first).key;
  struct Saved {
    const SavedOwnLimit* limit;  // null: a rule goes on with it
    OwnLimits* of;
  };
  std::vector<Saved> saved;
  for (const SavedOwnLimit& limit : of_first.limits) saved.push_back({&limit, first});
  for (const SavedOwnLimit& limit : of_second.limits) {
    if (of_second.key == key) saved.push_back({&limit, second});
  }
  if (saved.empty()) return;
  std::vector<std::pair<OwnLimits*, Rule*>> rules;
  for (OwnLimits* limits : {first, second}) {
    if (limits == nullptr) continue;
    limits->state_->key = key;
    for (const auto& rule : limits->state_->rules) rules.emplace_back(limits, rule.get());
  }
  InTurn([&](bool match_too, bool elsewhere) {
    std::erase_if(rules, [&](const auto& each) {
      const auto& [limits, rule] = each;
      const uint64_t digest = DigestOf(key, rule->rule), match = DigestOf(key, rule->rule.match);
      const auto found = std::ranges::find_if(saved, [&](const Saved& one) {
        return one.limit != nullptr && (one.of != limits) == elsewhere && one.limit->rule == digest &&
               (!match_too || one.limit->match == match);
      });
      if (found == saved.end()) return false;
      rule->Restore(*std::exchange(found->limit, nullptr), now);
      return true;
    });
  });
}

}  // namespace apiquota::guard
