// Limits in tokens: what is expected is taken at once, what it was in the end is set right.
#include "tests/guard/own_limits_under_test.h"

namespace apiquota::guard {
namespace {

using Algorithm = LimitRule::Algorithm;

class OwnTokenLimitsTest : public testing::TestWithParam<Algorithm> {
 protected:
  static LimitRule Tokens(uint64_t limit) {
    LimitRule rule = Rule("tokens", limit, minutes(1), GetParam());
    rule.unit = LimitRule::Unit::kTokens;
    rule.burst = limit;
    return rule;
  }
  static LimitedCall Of(double tokens) {
    LimitedCall call = From("192.0.2.1");
    call.tokens = tokens;
    return call;
  }
  static double Left(OwnLimits& limits, SystemTime now) {
    return limits.StandingsOf(Of(0), now)[0].remaining;
  }
};

TEST_P(OwnTokenLimitsTest, WhatIsExpectedIsTakenAndWhatWasTooMuchComesBack) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn turn = limits.Ask(Of(800), kStart);
  EXPECT_FALSE(turn.refusal);
  EXPECT_EQ(turn.standings[0].remaining, 200);
  EXPECT_FALSE(Admits(limits, Of(300), kStart));
  limits.Settle(turn.hold, 120, kStart);
  EXPECT_EQ(Left(limits, kStart), 880);
  EXPECT_TRUE(Admits(limits, Of(300), kStart));
}

TEST_P(OwnTokenLimitsTest, WhatWasTooLittleIsOwed) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn turn = limits.Ask(Of(100), kStart);
  limits.Settle(turn.hold, 1500, kStart + seconds(5));
  EXPECT_EQ(Left(limits, kStart + seconds(5)), 0);
  EXPECT_FALSE(Admits(limits, Of(1), kStart + seconds(6)));
}

TEST_P(OwnTokenLimitsTest, OfOneThatBrokeOffWhatItHadTakenIsOwedAndWhatItHadNotStaysTaken) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn more = limits.Ask(Of(100), kStart);
  limits.Settle(more.hold, 150, kStart, false);
  EXPECT_EQ(Left(limits, kStart), 850);
  LimitTurn less = limits.Ask(Of(100), kStart);
  limits.Settle(less.hold, 10, kStart, false);
  EXPECT_EQ(Left(limits, kStart), 750);
}

TEST_P(OwnTokenLimitsTest, WhereNothingIsExpectedWhatWasUsedCountsAfterwards) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn first = limits.Ask(Of(0), kStart);
  EXPECT_FALSE(first.refusal);
  EXPECT_EQ(first.standings[0].remaining, 1000);
  limits.Settle(first.hold, 600, kStart + seconds(1));
  LimitTurn second = limits.Ask(Of(0), kStart + seconds(1));
  EXPECT_FALSE(second.refusal) << "it is under its limit";
  limits.Settle(second.hold, 600, kStart + seconds(1));
  EXPECT_FALSE(Admits(limits, Of(0), kStart + seconds(1)));
  EXPECT_FALSE(Admits(limits, Of(0), kStart + seconds(1)));
}

// A guess is no reason to refuse for ever.
TEST_P(OwnTokenLimitsTest, AGuessBeyondTheWholeLimitGoesAloneOnAFullOne) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn turn = limits.Ask(Of(5000), kStart);
  EXPECT_FALSE(turn.refusal);
  EXPECT_FALSE(Admits(limits, Of(1), kStart));
  limits.Settle(turn.hold, 10, kStart);
  EXPECT_EQ(Left(limits, kStart), 990);
  EXPECT_FALSE(Admits(limits, Of(5000), kStart));
}

TEST_P(OwnTokenLimitsTest, WhoIsNeverSentOwesNothing) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn turn = limits.Ask(Of(999.5), kStart);
  EXPECT_EQ(Left(limits, kStart), 0);
  limits.Refund(turn.hold, kStart);
  EXPECT_EQ(Left(limits, kStart), 1000);
}

TEST_P(OwnTokenLimitsTest, AnAnswerOfMoreThanAWindowIsCountedWhenItIsKnown) {
  OwnLimits limits({Tokens(1000)});
  LimitTurn turn = limits.Ask(Of(100), kStart);
  limits.Settle(turn.hold, 900, kStart + minutes(5));
  EXPECT_EQ(Left(limits, kStart + minutes(5)), 200) << "beside the 100 that are long back";
}

std::string NameOf(const testing::TestParamInfo<Algorithm>& one) {
  return one.param == Algorithm::kFixed ? "Fixed" : one.param == Algorithm::kSliding ? "Sliding" : "Gcra";
}

INSTANTIATE_TEST_SUITE_P(Each, OwnTokenLimitsTest,
                         testing::Values(Algorithm::kFixed, Algorithm::kSliding, Algorithm::kGcra), NameOf);

}  // namespace
}  // namespace apiquota::guard
