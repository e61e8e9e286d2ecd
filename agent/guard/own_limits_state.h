// What OwnLimits holds. Internal to this room.
#pragma once

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
      : id(number), rule(std::move(what)), meter(rule), table(bytes_max) {}

  void Change(LimitRule what) {
    rule = std::move(what);
    meter = LimitMeter(rule);
  }

  const uint64_t id;
  LimitRule rule;
  LimitMeter meter;
  LimitTable table;
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

  Rule* Find(uint64_t id) const;
  std::unique_ptr<Rule> Claim(const LimitRule& rule, bool match_too,
                              std::vector<std::unique_ptr<Rule>>* old) const;
  void Add(Rule* rule, const LimitedCall& call, LimitTurn* turn, SystemTime now);
  int64_t Take(const Meant& meant, const LimitedCall& call, SystemTime now);
  SystemTime Latest(SystemTime now) { return latest = std::max(latest, now); }

  std::vector<std::unique_ptr<Rule>> rules;
  std::vector<std::vector<Rule*>> by_name;  // of each name those rules, in their order
  std::vector<std::string> exempt;
  size_t rule_bytes_max = kRuleBytesMax;
  HashKey key = HashKey::Drawn();
  uint64_t last_id = 0;
  SystemTime latest{};
  // Used again by each request.
  std::vector<Meant> meant;
  std::string path_scratch, subject_scratch;
};

}  // namespace apiquota::guard
