// What comes back of a limit of the operator's own when a request is never sent.
#include <algorithm>
#include <vector>

#include "guard/own_limits.h"
#include "tests/guard/own_limits_under_test.h"

namespace apiquota::guard {
namespace {

using Algorithm = LimitRule::Algorithm;

TEST(OwnLimitsBackTest, WhatWasNeverSentComesBackWhole) {
  for (const Algorithm algorithm : {Algorithm::kFixed, Algorithm::kSliding, Algorithm::kGcra}) {
    LimitRule rule = Rule("default", 5, minutes(1), algorithm);
    rule.burst = 5;
    OwnLimits limits({rule});
    EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 2, kStart), 2);
    const std::string before = StateOf(limits, kStart);
    LimitTurn turn = limits.Ask(From("192.0.2.1"), kStart + seconds(1));
    EXPECT_NE(StateOf(limits, kStart), before);
    limits.Refund(turn.hold, kStart + seconds(20));
    EXPECT_EQ(StateOf(limits, kStart), before) << static_cast<int>(algorithm);
  }
}

TEST(OwnLimitsBackTest, WhatHasComeBackByItselfIsNotGivenBackOnceMore) {
  LimitRule rule = Rule("default", 60, minutes(1), Algorithm::kGcra);
  rule.burst = 5;
  OwnLimits limits({rule});
  std::vector<LimitTurn> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(limits.Ask(From("192.0.2.1"), kStart));
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 9, kStart + seconds(5)), 5);
  for (const LimitTurn& turn : waiting) limits.Refund(turn.hold, kStart + milliseconds(5500));
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 9, kStart + milliseconds(5500)), 0);
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 9, kStart + seconds(6)), 1);
}

TEST(OwnLimitsBackTest, AllWhoLeaveInWhateverOrderLeaveNothingBehind) {
  LimitRule rule = Rule("default", 60, minutes(1), Algorithm::kGcra);
  rule.burst = 6;
  for (const bool first_first : {true, false}) {
    OwnLimits limits({rule});
    std::vector<LimitTurn> waiting;
    for (int i = 0; i < 6; ++i) waiting.push_back(limits.Ask(From("192.0.2.1"), kStart));
    if (!first_first) std::ranges::reverse(waiting);
    const SystemTime later = kStart + milliseconds(2500);
    for (const LimitTurn& turn : waiting) limits.Refund(turn.hold, later);
    EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 9, later), 6);
  }
}

TEST(OwnLimitsBackTest, WhatComesBackLateIsNotGivenToTheNextWindow) {
  OwnLimits limits({Rule("default", 2, minutes(1))});
  LimitTurn turn = limits.Ask(From("192.0.2.1"), kStart);
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 5, kStart + minutes(1)), 2);
  limits.Refund(turn.hold, kStart + seconds(61));
  EXPECT_FALSE(Admits(limits, From("192.0.2.1"), kStart + seconds(62)));
}

}  // namespace
}  // namespace apiquota::guard
