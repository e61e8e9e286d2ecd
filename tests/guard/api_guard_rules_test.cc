// Rules that change, over a reload or a restart: with what each of them goes on.
#include <gtest/gtest.h>

#include <string>

#include "guard/persist.h"
#include "tests/guard/api_guard_under_test.h"

namespace apiquota::guard {
namespace {

// What is left for one client of each rule, in force and judged, in their order.
std::string LeftOfEach(const std::shared_ptr<ApiGuard>& guard, SystemTime now) {
  std::string text;
  for (const LimitRuleView& view : guard->View(now, 10).limits) {
    const double used = view.uses.empty() ? 0 : view.uses[0].used;
    text += (view.judged ? "judged " : "on ") + view.rule.name + view.rule.match.path + " " +
            std::to_string(static_cast<int>(used)) + "\n";
  }
  return text;
}

class RulesChangedTest : public testing::TestWithParam<LimitRule::Algorithm> {
 protected:
  LimitRule Of(std::string path, Mode mode) const {
    LimitRule rule = Rule("default", 9, minutes(1), GetParam());
    rule.burst = 9;
    rule.match.path = std::move(path);
    rule.mode = mode;
    return rule;
  }
  // Sent by the rules as they are, so many to each path; then the rules change, over a reload or a restart.
  std::string After(const std::vector<LimitRule>& before, const std::vector<LimitRule>& after, bool restart) {
    auto guard = Configured(With(before));
    for (const auto& [path, count] : {std::pair("/a", 4), std::pair("/b", 2)}) {
      for (int i = 0; i < count; ++i) {
        ApiTurn turn = guard->Ask(From("192.0.2.1", path), kStart);
        turn.permit.Sent();
      }
    }
    if (restart) {
      const auto read = ReadSaved(WriteSaved({.keys = {}, .apis = {guard->Save(kStart)}}));
      guard = Configured(With(after));
      guard->Restore(read->apis.at(0), kStart);
    } else {
      guard->Configure(With(after), kStart);
    }
    return LeftOfEach(guard, kStart);
  }
  // The same, either way.
  void Expect(const std::vector<LimitRule>& before, const std::vector<LimitRule>& after, const char* wanted) {
    EXPECT_EQ(After(before, after, false), wanted) << "a reload";
    EXPECT_EQ(After(before, after, true), wanted) << "a restart";
  }
};

TEST_P(RulesChangedTest, RulesInAnotherOrderDoNotSwapWhatWasUsed) {
  Expect({Of("/a", Mode::kOn), Of("/b", Mode::kOn)}, {Of("/b", Mode::kOn), Of("/a", Mode::kOn)},
         "on default/b 2\non default/a 4\n");
}

TEST_P(RulesChangedTest, ALimitThatWasOnlyJudgedHoldsWithWhatItHasCounted) {
  Expect({Of("/a", Mode::kShadow), Of("/b", Mode::kOn)}, {Of("/a", Mode::kOn), Of("/b", Mode::kOn)},
         "on default/a 4\non default/b 2\n");
  Expect({Of("/a", Mode::kShadow)}, {Of("/a", Mode::kOn)}, "on default/a 4\n");
}

TEST_P(RulesChangedTest, ALimitThatIsOnlyJudgedFromNowOnGoesOnCounting) {
  Expect({Of("/a", Mode::kOn), Of("/b", Mode::kOn)}, {Of("/a", Mode::kShadow), Of("/b", Mode::kOn)},
         "on default/b 2\njudged default/a 4\n");
  Expect({Of("/a", Mode::kOn)}, {Of("/a", Mode::kShadow)}, "judged default/a 4\n");
}

TEST_P(RulesChangedTest, TwoThatTradeTheirModesKeepTheirOwn) {
  Expect({Of("/a", Mode::kOn), Of("/b", Mode::kShadow)}, {Of("/a", Mode::kShadow), Of("/b", Mode::kOn)},
         "on default/b 2\njudged default/a 4\n");
}

TEST_P(RulesChangedTest, OneOfWhichNothingIsUsedDoesNotTakeWhatAnotherOfItsNameHas) {
  Expect({Of("/c", Mode::kOn), Of("/a", Mode::kOn)}, {Of("/c", Mode::kOn)}, "on default/c 0\n");
}

TEST_P(RulesChangedTest, OneThatIsForOtherRequestsNowGoesOnByItsName) {
  Expect({Of("/a", Mode::kOn)}, {Of("/a2", Mode::kOn)}, "on default/a2 4\n");
}

INSTANTIATE_TEST_SUITE_P(ByAlgorithm, RulesChangedTest,
                         testing::Values(LimitRule::Algorithm::kFixed, LimitRule::Algorithm::kSliding,
                                         LimitRule::Algorithm::kGcra));

TEST(ApiGuardTest, WhatARequestTookComesBackAlthoughItsRuleWasTakenIntoForceMeanwhile) {
  LimitRule tokens = Rule("tokens", 1000, minutes(1));
  tokens.unit = LimitRule::Unit::kTokens;
  tokens.mode = Mode::kShadow;
  const auto guard = Configured(With({tokens}));
  LimitedCall call = From("192.0.2.1");
  call.tokens = 400;
  ApiTurn sent = guard->Ask(call, kStart), left = guard->Ask(call, kStart);
  sent.permit.Sent();
  tokens.mode = Mode::kOn;
  guard->Configure(With({tokens}), kStart);
  EXPECT_EQ(LeftOf(guard, kStart), 200U);
  sent.permit.Settle(150, kStart);
  EXPECT_EQ(LeftOf(guard, kStart), 450U);
  left.permit.Release(kStart);
  EXPECT_EQ(LeftOf(guard, kStart), 850U);
}

TEST(ApiGuardTest, ItsPageShowsRulesThatAreOnlyJudgedBesideThoseInForce) {
  Options options = With({Rule("default", 2, minutes(1))});
  options.shadow = std::make_shared<Options>(With({Rule("default", 1, minutes(1))}));
  const auto guard = Configured(options);
  guard->Ask(From("192.0.2.1"), kStart).permit.Sent();
  EXPECT_EQ(LeftOfEach(guard, kStart), "on default 1\njudged default 1\n");
}

}  // namespace
}  // namespace apiquota::guard
