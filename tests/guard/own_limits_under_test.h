// Limits of the operator's own, asked by clients that are no more than their names.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guard/own_limits.h"

namespace apiquota::guard {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr SystemTime kStart{seconds(1'795'359'637)};

inline LimitRule Rule(std::string name, uint64_t limit, Micros window,
                      LimitRule::Algorithm algorithm = LimitRule::Algorithm::kFixed) {
  LimitRule rule;
  rule.name = std::move(name);
  rule.by = {{.kind = LimitSubject::Kind::kAddress}};
  rule.limit = limit;
  rule.window = window;
  rule.algorithm = algorithm;
  return rule;
}

inline LimitedCall From(std::string_view address, std::string_view path = "/v1/models") {
  return {.method = "GET", .path = path, .caller = {}, .key = "alias", .address = address};
}

inline bool Admits(OwnLimits& limits, const LimitedCall& call, SystemTime now) {
  return !limits.Ask(call, now).refusal;
}

// How many of so many at once are let in.
inline int AdmittedOf(OwnLimits& limits, const LimitedCall& call, int asked, SystemTime now) {
  int admitted = 0;
  for (int i = 0; i < asked; ++i) admitted += Admits(limits, call, now) ? 1 : 0;
  return admitted;
}

// Everything that decides, as a text.
inline std::string StateOf(const OwnLimits& limits, SystemTime now) {
  std::string text;
  for (const SavedOwnLimit& limit : limits.Save(now).limits) {
    text += limit.name;
    for (const SavedUse& use : limit.uses) {
      text += "\n " + std::to_string(use.subject) + " " + std::to_string(use.used) + " " +
              std::to_string(use.at.time_since_epoch().count());
      for (const auto& [at, amount] : use.sends)
        text += " " + std::to_string(at.time_since_epoch().count()) + "*" + std::to_string(amount);
    }
  }
  for (const LimitMemory& memory : limits.Memory())
    text += "\n" + std::to_string(memory.subjects) + " " + std::to_string(memory.evicted);
  return text;
}

}  // namespace apiquota::guard
