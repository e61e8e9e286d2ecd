// What OwnLimits holds. Internal to this room.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "guard/keyed_hash.h"
#include "guard/own_limits.h"
#include "guard/own_limits_meter.h"
#include "guard/own_limits_table.h"

namespace apiquota::guard {

struct OwnLimits::Rule {
  Rule(uint64_t number, LimitRule what, size_t bytes_max)
      : id(number), rule(std::move(what)), meter(rule), table(bytes_max) {
    Derive();
  }

  void Change(LimitRule what) {
    rule = std::move(what);
    meter = LimitMeter(rule);
    Derive();
  }
  void Derive() {
    for_all = rule.match == LimitMatch{};
    words = std::make_shared<const LimitWords>(WordsOf(Stand(nullptr, {})));
    by_caller = Has(LimitSubject::Kind::kCaller);
    by_key = Has(LimitSubject::Kind::kKey);
    by_address = Has(LimitSubject::Kind::kAddress);
  }
  bool Has(LimitSubject::Kind kind) const {
    return std::ranges::any_of(rule.by, [&](const LimitSubject& part) { return part.kind == kind; });
  }
  LimitStanding Stand(const LimitUsed* used, SystemTime now) const {
    const LimitMeter::Standing standing = meter.Stand(used, now);
    return {.name = rule.name,
            .unit = rule.unit,
            .limit = static_cast<double>(rule.limit),
            .remaining = standing.remaining,
            .window = rule.window,
            .reset = standing.reset,
            .words = words};
  }

  void Restore(const SavedOwnLimit& saved, SystemTime now) {
    for (const SavedUse& use : saved.uses) {
      LimitTable::Entry& entry = table.Touch(use.subject, meter, now);
      const size_t bytes = entry.used.bytes();
      meter.Restore(use, now, &entry.used);
      table.Grew(entry, bytes, meter, now);
    }
  }

  const uint64_t id;
  LimitRule rule;
  LimitMeter meter;
  LimitTable table;
  size_t whose = 0;  // its place in State::whose
  // Of `rule`.
  bool for_all = false;  // no request is outside its match
  std::shared_ptr<const LimitWords> words;
  bool by_caller = false, by_key = false, by_address = false;
};

struct OwnLimits::State {
  // One that a request is meant by, while it is asked about.
  struct Meant {
    Rule* rule = nullptr;
    uint64_t subject = 0;
    LimitTable::Entry* entry = nullptr;  // null: nothing used so far
    double amount = 0;
    std::optional<SystemTime> until;  // there is no room before
  };

  // Whom a request counts for, found out once for all rules of one `by`.
  struct Whose {
    std::vector<LimitSubject> by;
    uint64_t question = 0;  // the last that it was found out for
    std::optional<std::string> lacks;
    uint64_t subject = 0;
  };

  Rule* Find(uint64_t id) const;
  void Order(std::vector<LimitRule>* changed, std::vector<std::string> paths);
  size_t PlaceOf(const std::vector<LimitSubject>& by);  // in `whose`
  const Whose& WhoseOf(const Rule& rule, const LimitedCall& call);
  void Add(Rule* rule, const LimitedCall& call, std::optional<Refusal>* refusal, SystemTime now);
  // Its entry is there afterwards.
  int64_t Take(Meant* meant, const LimitedCall& call, SystemTime now);
  SystemTime Latest(SystemTime now) { return latest = std::max(latest, now); }

  std::vector<std::unique_ptr<Rule>> rules;
  std::vector<std::vector<Rule*>> by_name;  // of each name those rules, in their order
  std::vector<std::string> exempt;
  bool names_paths = false;  // some rule does, or `exempt`
  std::vector<Whose> whose;
  uint64_t question = 0;  // how many there were
  size_t rule_bytes_max = kRuleBytesMax;
  HashKey key = HashKey::Drawn();
  uint64_t last_id = 0;
  SystemTime latest{};
  // Used again by each request.
  std::vector<Meant> meant;
  std::string path_scratch, subject_scratch;
};

}  // namespace apiquota::guard
