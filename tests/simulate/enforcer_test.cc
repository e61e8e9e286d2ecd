// Each kind of limit at the edges of its windows, to the microsecond; several at once; who is counted apart.
#include "simulate/enforcer.h"

#include <gtest/gtest.h>

namespace apiquota::simulate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Ten seconds into a minute of the clock.
constexpr SystemTime kStart{seconds(1'800'000'010)};
constexpr Micros kTick(1);

Enforcer Of(LimitKind kind, double limit, Micros window) {
  return Enforcer({.limits = {{.kind = kind, .limit = limit, .window = window}}});
}

Verdict AskAt(Enforcer& enforcer, SystemTime now) { return enforcer.Ask({}, now); }

bool Admits(Enforcer& enforcer, SystemTime now) { return AskAt(enforcer, now).admitted(); }

// How many of `calls` at once get through.
int AdmittedOf(Enforcer& enforcer, int calls, SystemTime now) {
  int admitted = 0;
  for (int i = 0; i < calls; ++i) admitted += Admits(enforcer, now) ? 1 : 0;
  return admitted;
}

TEST(EnforcerTest, AFixedWindowOpensWithItsFirstCallAndEndsExactlyAWindowLater) {
  Enforcer enforcer = Of(LimitKind::kFixed, 2, seconds(60));
  EXPECT_EQ(enforcer.State(0, {}, kStart).reset_at, kStart + seconds(60));
  EXPECT_TRUE(Admits(enforcer, kStart + microseconds(7)));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(30)));
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(30)).wait, seconds(30) + microseconds(7));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(59)).reset_at, kStart + seconds(60) + microseconds(7));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(60) + microseconds(6)));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(60) + microseconds(7)));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(61)).remaining, 1);
}

TEST(EnforcerTest, AFixedWindowBeginsWithTheNextCallAndNotAtTheEndOfTheLast) {
  Enforcer enforcer = Of(LimitKind::kFixed, 1, seconds(60));
  EXPECT_TRUE(Admits(enforcer, kStart));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(90)));
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(120)).wait, seconds(30));
}

TEST(EnforcerTest, AnAlignedWindowEndsWithTheMinuteOfTheClock) {
  Enforcer enforcer = Of(LimitKind::kAligned, 1, seconds(60));
  EXPECT_TRUE(Admits(enforcer, kStart));
  EXPECT_EQ(enforcer.State(0, {}, kStart).reset_at, kStart + seconds(50));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(50) - kTick));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(50)));
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(50)).wait, seconds(60));
}

TEST(EnforcerTest, ASlidingWindowGivesEachCallBackAWindowAfterIt) {
  Enforcer enforcer = Of(LimitKind::kSliding, 2, seconds(60));
  EXPECT_TRUE(Admits(enforcer, kStart));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(40)));
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(50)).wait, seconds(10));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(50)).reset_at, kStart + seconds(100));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(60) - kTick));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(60)));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(100) - kTick));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(100)));
}

TEST(EnforcerTest, AnElasticWindowIsRenewedByEveryHitAlsoByARefusedOne) {
  Enforcer enforcer = Of(LimitKind::kElastic, 2, seconds(60));
  EXPECT_TRUE(Admits(enforcer, kStart));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(50)));
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(100)).wait, seconds(60));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(160) - kTick));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(220)));
}

TEST(EnforcerTest, ABucketRefillsContinuouslyAndItsWaitIsExact) {
  Enforcer enforcer = Of(LimitKind::kBucket, 7, seconds(60));
  EXPECT_EQ(AdmittedOf(enforcer, 9, kStart), 7);
  const Micros wait = *AskAt(enforcer, kStart).wait;
  EXPECT_EQ(wait, microseconds(8'571'429));  // 60 s / 7, rounded up
  EXPECT_FALSE(Admits(enforcer, kStart + wait - kTick));
  EXPECT_TRUE(Admits(enforcer, kStart + wait));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(60)).reset_at, kStart + microseconds(68'571'429));
  EXPECT_EQ(AdmittedOf(enforcer, 9, kStart + seconds(600)), 7);
}

TEST(EnforcerTest, ABucketHoldsItsBurstAndNoMore) {
  Enforcer enforcer(
      {.limits = {{.kind = LimitKind::kBucket, .limit = 60, .window = seconds(60), .burst = 5}}});
  EXPECT_EQ(AdmittedOf(enforcer, 10, kStart), 5);
  EXPECT_EQ(AdmittedOf(enforcer, 10, kStart + seconds(3)), 3);
  EXPECT_EQ(AdmittedOf(enforcer, 10, kStart + seconds(3600)), 5);
}

TEST(EnforcerTest, ASlotEndsWithItsCallAndNobodyKnowsWhen) {
  Enforcer enforcer = Of(LimitKind::kConcurrency, 1, seconds(60));
  const Verdict first = AskAt(enforcer, kStart);
  const Verdict second = AskAt(enforcer, kStart + seconds(3600));
  EXPECT_FALSE(second.admitted());
  EXPECT_EQ(second.wait, std::nullopt);
  EXPECT_FALSE(second.never_fits);
  enforcer.End(first.id, {}, kStart + seconds(3600));
  enforcer.End(first.id, {}, kStart + seconds(3600));  // a second end gives nothing back
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(3600)).remaining, 1);
  EXPECT_EQ(AdmittedOf(enforcer, 2, kStart + seconds(3600)), 1);
}

TEST(EnforcerTest, ARefusedCallTakesFromNoLimit) {
  Enforcer enforcer({.limits = {{.name = "minute", .limit = 10, .window = seconds(60)},
                                {.name = "second", .limit = 2, .window = seconds(1)}}});
  EXPECT_EQ(AdmittedOf(enforcer, 5, kStart), 2);
  EXPECT_EQ(enforcer.State(0, {}, kStart).remaining, 8);
  EXPECT_EQ(AskAt(enforcer, kStart).limit, 1);
  for (int i = 1; i < 5; ++i) EXPECT_EQ(AdmittedOf(enforcer, 5, kStart + seconds(i)), 2);
  const Verdict refused = AskAt(enforcer, kStart + seconds(4));
  EXPECT_EQ(refused.limit, 0);
  EXPECT_EQ(refused.wait, seconds(56));
}

TEST(EnforcerTest, ASubLimitIsItsShareOfTheLimitAndOneAtLeast) {
  Enforcer enforcer(
      {.limits = {
           {.kind = LimitKind::kAligned, .limit = 60, .window = seconds(60), .sub_window = seconds(1)}}});
  EXPECT_EQ(AdmittedOf(enforcer, 5, kStart), 1);
  const Verdict refused = AskAt(enforcer, kStart + milliseconds(400));
  EXPECT_EQ(refused.limit, 0);  // nobody is told of another
  EXPECT_EQ(refused.wait, milliseconds(600));
  EXPECT_EQ(AdmittedOf(enforcer, 5, kStart + seconds(1)), 1);
  EXPECT_EQ(SubLimitOf({.limit = 100, .window = seconds(60), .sub_window = seconds(1)}).limit, 2);
  EXPECT_EQ(SubLimitOf({.limit = 5, .window = seconds(60), .sub_window = seconds(1)}).limit, 1);
}

TEST(EnforcerTest, HammeringASlidingWindowThatCountsRefusedCallsNeverEnds) {
  Enforcer enforcer(
      {.limits = {{.kind = LimitKind::kSliding, .limit = 2, .window = seconds(10)}}, .count_refused = true});
  EXPECT_EQ(AdmittedOf(enforcer, 2, kStart), 2);
  for (int i = 1; i < 60; ++i) EXPECT_FALSE(Admits(enforcer, kStart + seconds(i))) << i;
  // Of those of the seconds 51 to 60 only the last may still be there.
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(60)).wait, seconds(9));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(69) - kTick));
}

TEST(EnforcerTest, ABucketThatCountsRefusedCallsStaysEmptyAndGoesNoLower) {
  Enforcer enforcer(
      {.limits = {{.kind = LimitKind::kBucket, .limit = 10, .window = seconds(10)}}, .count_refused = true});
  EXPECT_EQ(AdmittedOf(enforcer, 1000, kStart), 10);
  EXPECT_FALSE(Admits(enforcer, kStart + milliseconds(900)));
  EXPECT_TRUE(Admits(enforcer, kStart + milliseconds(1900)));
}

TEST(EnforcerTest, WhoComesBeforeTheToldMomentWaitsLonger) {
  Enforcer enforcer({.limits = {{.limit = 1, .window = seconds(10)}}, .penalty = seconds(5)});
  EXPECT_TRUE(Admits(enforcer, kStart));
  EXPECT_EQ(AskAt(enforcer, kStart + seconds(1)).wait, seconds(9));
  const Verdict early = AskAt(enforcer, kStart + seconds(2));
  EXPECT_EQ(early.wait, seconds(13));
  EXPECT_EQ(early.limit, std::nullopt);
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(15) - kTick));  // and five more
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(20) - kTick));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(25)));
  EXPECT_EQ(enforcer.TruthAt(kStart + seconds(25)).totals.penalised, 3);
}

TEST(EnforcerTest, WhoComesWhenToldIsNotPunished) {
  Enforcer enforcer({.limits = {{.limit = 1, .window = seconds(10)}}, .penalty = seconds(5)});
  EXPECT_TRUE(Admits(enforcer, kStart));
  EXPECT_FALSE(Admits(enforcer, kStart + seconds(1)));
  EXPECT_TRUE(Admits(enforcer, kStart + seconds(10)));
}

TEST(EnforcerTest, KeysAndAddressesAreCountedApartWhereTheyAreTheScope) {
  const auto third = [](LimitScope scope) {
    Enforcer enforcer({.limits = {{.limit = 1}}, .scope = scope});
    EXPECT_TRUE(enforcer.Ask({.key = "a", .address = "10.0.0.1"}, kStart).admitted());
    const bool other_key = enforcer.Ask({.key = "b", .address = "10.0.0.1"}, kStart).admitted();
    const bool other_address = enforcer.Ask({.key = "a", .address = "10.0.0.2"}, kStart).admitted();
    return std::pair(other_key, other_address);
  };
  EXPECT_EQ(third(LimitScope::kAll), std::pair(false, false));
  EXPECT_EQ(third(LimitScope::kKey), std::pair(true, false));
  EXPECT_EQ(third(LimitScope::kAddress), std::pair(false, true));
}

Enforcer Tokens(LimitKind kind, Charge charge) {
  return Enforcer({.limits = {{.name = "tokens",
                               .kind = kind,
                               .unit = LimitUnit::kTokens,
                               .limit = 100,
                               .window = seconds(60),
                               .charge = charge}}});
}

constexpr CallCost kAsked{.input_tokens = 10, .output_tokens = 50};
constexpr CallCost kTaken{.input_tokens = 10, .output_tokens = 5};

TEST(EnforcerTest, TokensChargedAtTheStartStayCharged) {
  Enforcer enforcer = Tokens(LimitKind::kFixed, Charge::kStart);
  const Verdict first = enforcer.Ask({.cost = kAsked}, kStart);
  EXPECT_EQ(enforcer.State(0, {}, kStart).remaining, 40);
  enforcer.End(first.id, kTaken, kStart + seconds(1));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(1)).remaining, 40);
  EXPECT_FALSE(enforcer.Ask({.cost = kAsked}, kStart + seconds(1)).admitted());
}

TEST(EnforcerTest, ACapIsChargedBesideTheInputOrInItsPlaceOrNotAtAll) {
  const auto left = [](CapCharge cap, LimitUnit unit, const CallCost& asked) {
    Enforcer enforcer({.limits = {{.unit = unit, .limit = 100, .cap = cap}}});
    EXPECT_TRUE(enforcer.Ask({.cost = asked}, kStart).admitted());
    return enforcer.State(0, {}, kStart).remaining;
  };
  EXPECT_EQ(left(CapCharge::kSum, LimitUnit::kTokens, kAsked), 40);
  EXPECT_EQ(left(CapCharge::kMax, LimitUnit::kTokens, kAsked), 50);
  EXPECT_EQ(left(CapCharge::kMax, LimitUnit::kTokens, {.input_tokens = 60, .output_tokens = 50}), 40);
  EXPECT_EQ(left(CapCharge::kIgnored, LimitUnit::kTokens, kAsked), 90);
  EXPECT_EQ(left(CapCharge::kIgnored, LimitUnit::kOutputTokens, kAsked), 100);
  EXPECT_EQ(left(CapCharge::kIgnored, LimitUnit::kInputTokens, kAsked), 90);
}

TEST(EnforcerTest, ASettledChargeIsPutRightWhereItWasMade) {
  for (const LimitKind kind : {LimitKind::kFixed, LimitKind::kSliding, LimitKind::kElastic}) {
    Enforcer enforcer = Tokens(kind, Charge::kSettled);
    const Verdict first = enforcer.Ask({.cost = kAsked}, kStart);
    EXPECT_FALSE(enforcer.Ask({.cost = kAsked}, kStart).admitted());
    enforcer.End(first.id, kTaken, kStart + seconds(1));
    EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(1)).remaining, 85) << ToText(kind);
    const Verdict second = enforcer.Ask({.cost = kAsked}, kStart + seconds(2));
    EXPECT_TRUE(second.admitted());
    enforcer.End(second.id, kTaken, kStart + seconds(100));  // its window is gone
    EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(100)).remaining, 100) << ToText(kind);
  }
  Enforcer bucket = Tokens(LimitKind::kBucket, Charge::kSettled);
  const Verdict call = bucket.Ask({.cost = kAsked}, kStart);
  bucket.End(call.id, kTaken, kStart);
  EXPECT_EQ(bucket.State(0, {}, kStart).remaining, 85);
}

TEST(EnforcerTest, WhatIsChargedAtTheEndIsLetInWhileAnythingIsLeft) {
  Enforcer enforcer = Tokens(LimitKind::kFixed, Charge::kEnd);
  const Verdict first = enforcer.Ask({.cost = kAsked}, kStart);
  const Verdict second = enforcer.Ask({.cost = kAsked}, kStart);
  enforcer.End(first.id, {.input_tokens = 90, .output_tokens = 9}, kStart + seconds(1));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(1)).remaining, 100 - 99);
  EXPECT_TRUE(enforcer.Ask({.cost = kAsked}, kStart + seconds(1)).admitted());
  enforcer.End(second.id, {.input_tokens = 90, .output_tokens = 9}, kStart + seconds(2));
  EXPECT_EQ(enforcer.State(0, {}, kStart + seconds(2)).remaining, 100 - 198);
  EXPECT_FALSE(enforcer.Ask({.cost = kAsked}, kStart + seconds(2)).admitted());
}

TEST(EnforcerTest, WhatCostsMoreThanThereCanBeNeverFits) {
  for (const LimitKind kind : {LimitKind::kFixed, LimitKind::kSliding, LimitKind::kBucket}) {
    Enforcer enforcer = Tokens(kind, Charge::kStart);
    const Verdict verdict = enforcer.Ask({.cost = {.input_tokens = 101}}, kStart);
    EXPECT_TRUE(!verdict.admitted() && verdict.never_fits) << ToText(kind);
    EXPECT_EQ(verdict.wait, std::nullopt);
  }
}

TEST(EnforcerTest, InputAndOutputAreCountedApartWhereTheirLimitsAre) {
  Enforcer enforcer({.limits = {{.name = "input-tokens", .unit = LimitUnit::kInputTokens, .limit = 1000},
                                {.name = "output-tokens", .unit = LimitUnit::kOutputTokens, .limit = 60},
                                {.name = "images", .unit = LimitUnit::kOther, .limit = 9}}});
  EXPECT_TRUE(
      enforcer.Ask({.cost = {.input_tokens = 10, .output_tokens = 50, .other = 2}}, kStart).admitted());
  EXPECT_EQ(enforcer.State(0, {}, kStart).remaining, 990);
  EXPECT_EQ(enforcer.State(1, {}, kStart).remaining, 10);
  EXPECT_EQ(enforcer.State(2, {}, kStart).remaining, 7);
  EXPECT_EQ(enforcer.Ask({.cost = kAsked}, kStart).limit, 1);
}

}  // namespace
}  // namespace apiquota::simulate
