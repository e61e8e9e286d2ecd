// What a client that knows everything could have had, by hand; and that the judge itself lets nobody through
// whom the definition of a limit would not.
#include "simulate/truth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "simulate/enforcer.h"

namespace apiquota::simulate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SystemTime kStart{seconds(1'800'000'010)};  // ten seconds into a minute of the clock
constexpr Micros kTick(1);
constexpr LimitKind kKinds[] = {LimitKind::kFixed, LimitKind::kAligned, LimitKind::kSliding,
                                LimitKind::kElastic, LimitKind::kBucket};

LimitOptions Limit(LimitKind kind, double limit, Micros window) {
  return {.kind = kind, .limit = limit, .window = window};
}

TEST(TruthTest, OfAWindowAllOfItIsPossibleOnceItHasBegun) {
  for (const LimitKind kind : {LimitKind::kFixed, LimitKind::kElastic, LimitKind::kSliding}) {
    const LimitOptions limit = Limit(kind, 60, seconds(60));
    EXPECT_EQ(PossibleOf(limit, kStart, kStart - kTick), 0);
    EXPECT_EQ(PossibleOf(limit, kStart, kStart), 60);
    EXPECT_EQ(PossibleOf(limit, kStart, kStart + seconds(60) - kTick), 60);
    EXPECT_EQ(PossibleOf(limit, kStart, kStart + seconds(60)), 120);
    EXPECT_EQ(PossibleTogether({limit}, kStart, kStart + seconds(185)), 240);
  }
}

TEST(TruthTest, AnAlignedWindowThatWasUnderWayCountsWhole) {
  const LimitOptions limit = Limit(LimitKind::kAligned, 60, seconds(60));
  EXPECT_EQ(PossibleOf(limit, kStart, kStart + seconds(50) - kTick), 60);
  EXPECT_EQ(PossibleOf(limit, kStart, kStart + seconds(50)), 120);
  EXPECT_EQ(PossibleTogether({limit}, kStart, kStart + seconds(50)), 120);
}

TEST(TruthTest, OfABucketItsBurstIsPossibleAndWhatHasComeSince) {
  LimitOptions limit = Limit(LimitKind::kBucket, 60, seconds(60));
  EXPECT_EQ(PossibleOf(limit, kStart, kStart + milliseconds(1'500)), 61);
  limit.burst = 5;
  EXPECT_EQ(PossibleOf(limit, kStart, kStart + seconds(10)), 15);
  EXPECT_EQ(PossibleTogether({limit}, kStart, kStart + seconds(10)), 15);
}

TEST(TruthTest, OfConcurrencyTheTimeOfAllSlotsIsPossible) {
  Enforcer enforcer({.limits = {Limit(LimitKind::kConcurrency, 2, seconds(60))}});
  const Verdict first = enforcer.Ask({}, kStart);
  const Verdict second = enforcer.Ask({}, kStart + seconds(2));
  EXPECT_FALSE(enforcer.Ask({}, kStart + seconds(3)).admitted());
  enforcer.End(first.id, {}, kStart + seconds(4));
  enforcer.End(second.id, {}, kStart + seconds(5));
  const Truth truth = enforcer.TruthAt(kStart + seconds(10));
  EXPECT_EQ(truth.limits[0].used, 4 + 3);
  EXPECT_EQ(truth.limits[0].possible, 20);
  EXPECT_EQ(truth.limits[0].windows, (std::vector<WindowTruth>{{kStart, 2, 1, 2}}));
}

TEST(TruthTest, SeveralLimitsBindTogether) {
  const std::vector<LimitOptions> limits = {Limit(LimitKind::kFixed, 10, seconds(1)),
                                            Limit(LimitKind::kFixed, 60, seconds(60)),
                                            Limit(LimitKind::kFixed, 150, seconds(86'400))};
  EXPECT_EQ(PossibleTogether(limits, kStart, kStart + seconds(3)), 40);
  EXPECT_EQ(PossibleTogether(limits, kStart, kStart + seconds(30)), 60);
  EXPECT_EQ(PossibleTogether(limits, kStart, kStart + seconds(62)), 90);
  EXPECT_EQ(PossibleTogether(limits, kStart, kStart + seconds(4000)), 150);
}

TEST(TruthTest, WhatIsPossibleOfOneLimitIsTheSameBesideOneThatNeverBinds) {
  const LimitOptions wide = Limit(LimitKind::kFixed, 1e9, seconds(60));
  for (const LimitKind kind : kKinds) {
    LimitOptions limit = Limit(kind, 7, seconds(10));
    if (kind == LimitKind::kBucket) limit.burst = 3;
    for (int i = 0; i < 100; ++i) {
      const SystemTime until = kStart + milliseconds(i * 777);
      EXPECT_EQ(PossibleTogether({limit, wide}, kStart, until), PossibleOf(limit, kStart, until))
          << ToText(kind) << ", " << i;
    }
  }
}

TEST(TruthTest, ASubLimitIsPartOfWhatBinds) {
  Enforcer enforcer(
      {.limits = {
           {.kind = LimitKind::kAligned, .limit = 60, .window = seconds(60), .sub_window = seconds(1)}}});
  EXPECT_TRUE(enforcer.Ask({}, kStart).admitted());
  const Truth truth = enforcer.TruthAt(kStart + seconds(30));
  EXPECT_EQ(truth.possible_requests, 31);
  EXPECT_TRUE(truth.limits[1].hidden);
  EXPECT_EQ(truth.limits[1].limit, 1);
}

TEST(TruthTest, TheShareIsOfTheLimitThatWasUsedMost) {
  Enforcer enforcer(
      {.limits = {{.name = "requests", .limit = 10, .window = seconds(60)},
                  {.name = "tokens", .unit = LimitUnit::kTokens, .limit = 1000, .window = seconds(60)}}});
  EXPECT_TRUE(enforcer.Ask({.cost = {.input_tokens = 500, .output_tokens = 300}}, kStart).admitted());
  EXPECT_FALSE(enforcer.Ask({.cost = {.input_tokens = 500}}, kStart).admitted());
  const Truth truth = enforcer.TruthAt(kStart + seconds(1));
  EXPECT_EQ(truth.binding, "tokens");
  EXPECT_EQ(truth.share, 0.8);
  EXPECT_EQ(truth.limits[0].share, 0.1);
  EXPECT_EQ(truth.limits[1].refused, 1);
  EXPECT_EQ(truth.limits[0].refused, 0);
}

TEST(TruthTest, ASettledChargeIsCountedAsItWas) {
  Enforcer enforcer({.limits = {{.name = "tokens",
                                 .unit = LimitUnit::kTokens,
                                 .limit = 100,
                                 .window = seconds(60),
                                 .charge = Charge::kSettled}}});
  const Verdict call = enforcer.Ask({.cost = {.input_tokens = 10, .output_tokens = 80}}, kStart);
  enforcer.End(call.id, {.input_tokens = 10, .output_tokens = 20}, kStart + seconds(1));
  const Truth truth = enforcer.TruthAt(kStart + seconds(2));
  EXPECT_EQ(truth.limits[0].used, 30);
  EXPECT_EQ(truth.limits[0].windows, (std::vector<WindowTruth>{{kStart, 1, 0, 30}}));
  EXPECT_EQ(truth.totals.output_tokens, 20);
}

TEST(TruthTest, AWindowOpensWithTheCallThoughItIsChargedAtItsEnd) {
  Enforcer enforcer({.limits = {{.name = "tokens",
                                 .unit = LimitUnit::kTokens,
                                 .limit = 100,
                                 .window = seconds(60),
                                 .charge = Charge::kEnd}}});
  const Verdict first = enforcer.Ask({}, kStart);
  const Verdict second = enforcer.Ask({}, kStart + seconds(1));
  enforcer.End(first.id, {.input_tokens = 70}, kStart + seconds(2));
  enforcer.End(second.id, {.input_tokens = 70}, kStart + seconds(60));
  const Truth truth = enforcer.TruthAt(kStart + seconds(60));
  EXPECT_EQ(truth.limits[0].windows,
            (std::vector<WindowTruth>{{kStart, 2, 0, 70}, {kStart + seconds(60), 0, 0, 70}}));
  EXPECT_EQ(truth.violations, 0);
}

TEST(TruthTest, EachKeyCouldHaveHadItsOwnShareSinceItsOwnFirstCall) {
  Enforcer enforcer({.limits = {{.limit = 10, .window = seconds(60)}}, .scope = LimitScope::kKey});
  EXPECT_TRUE(enforcer.Ask({.key = "a"}, kStart).admitted());
  EXPECT_TRUE(enforcer.Ask({.key = "b"}, kStart + seconds(59)).admitted());
  const Truth truth = enforcer.TruthAt(kStart + seconds(60));
  EXPECT_EQ(truth.totals.scopes, 2);
  EXPECT_EQ(truth.limits[0].possible, 30);
  EXPECT_EQ(truth.possible_requests, 30);
  EXPECT_EQ(truth.limits[0].windows,
            (std::vector<WindowTruth>{{kStart, 1, 0, 1}, {kStart + seconds(59), 1, 0, 1}}));
}

TEST(TruthTest, AsJsonItIsOneObject) {
  Enforcer enforcer({.limits = {{.limit = 1, .window = seconds(60)}}});
  EXPECT_TRUE(enforcer.Ask({.cost = {.input_tokens = 3}}, kStart).admitted());
  EXPECT_FALSE(enforcer.Ask({}, kStart + milliseconds(500)).admitted());
  EXPECT_EQ(
      ToJson(enforcer.TruthAt(kStart + seconds(60))),
      "{\"seconds\":60.0,\"first_call\":1800000010.0,\"asked\":2,\"admitted\":1,\"refused\":1,"
      "\"penalised\":0,\"failed\":0,\"bare_429s\":0,\"scopes\":1,\"input_tokens\":0.0,\"output_tokens\":0.0,"
      "\"possible_requests\":2.0,\"binding\":\"requests\",\"share\":0.5,\"violations\":0,"
      "\"limits\":[{\"name\":\"requests\",\"kind\":\"fixed\",\"unit\":\"requests\",\"limit\":1.0,"
      "\"window_seconds\":60.0,\"announced\":true,\"admitted\":1,\"refused\":1,\"used\":1.0,"
      "\"possible\":2.0,\"share\":0.5,\"violations\":0,\"windows\":[{\"start\":1800000010.0,"
      "\"admitted\":1,\"refused\":1,\"used\":1.0}],\"windows_left_out\":0}]}\n");
}

TEST(TruthTest, WindowsOfLongAgoAreCountedButNotKept) {
  Enforcer enforcer({.limits = {{.limit = 1, .window = seconds(1)}}});
  for (int i = 0; i < 1500; ++i) EXPECT_TRUE(enforcer.Ask({}, kStart + seconds(i)).admitted());
  const Truth truth = enforcer.TruthAt(kStart + seconds(1499));
  EXPECT_EQ(truth.limits[0].windows.size(), kWindowsKept);
  EXPECT_EQ(truth.limits[0].windows_left_out, 500);
  EXPECT_EQ(truth.share, 1);
}

// The definitions, by brute force over everything that was let through.
double MostIn(const std::vector<SystemTime>& admitted, Micros span) {
  size_t most = 0;
  for (size_t first = 0, last = 0; last < admitted.size(); ++last) {
    while (admitted[last] - admitted[first] >= span) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<double>(most);
}

// When calls got through, of those that came at random and of those that came when they were told to.
std::vector<SystemTime> Hammer(uint32_t seed, Enforcer* enforcer) {
  std::mt19937 random(seed);
  std::vector<SystemTime> admitted;
  SystemTime now = kStart;
  for (int i = 0; i < 2000; ++i) {
    now += Micros(random() % 20 == 0 ? random() % 30'000'000 : random() % 200'000);
    const Verdict verdict = enforcer->Ask({}, now);
    if (!verdict.admitted()) {
      // What it says about waiting is true, and not a microsecond more.
      EXPECT_FALSE(enforcer->Ask({}, now + *verdict.wait - kTick).admitted());
      EXPECT_TRUE(enforcer->Ask({}, now += *verdict.wait).admitted());
    }
    admitted.push_back(now);
  }
  return admitted;
}

TEST(TruthTest, NobodyIsLetThroughWhomTheDefinitionWouldNot) {
  for (uint32_t seed = 0; seed < 5; ++seed) {
    for (const LimitKind kind :
         {LimitKind::kFixed, LimitKind::kAligned, LimitKind::kSliding, LimitKind::kBucket}) {
      Enforcer enforcer({.limits = {Limit(kind, 7, seconds(10))}});
      const std::vector<SystemTime> admitted = Hammer(seed, &enforcer);
      const double most = MostIn(admitted, seconds(10));
      EXPECT_LE(most, kind == LimitKind::kSliding ? 7 : 14) << ToText(kind) << ", seed " << seed;
      const Truth truth = enforcer.TruthAt(admitted.back());
      EXPECT_EQ(truth.violations, 0);
      EXPECT_EQ(truth.limits[0].admitted, admitted.size());
      EXPECT_EQ(truth.limits[0].refused, truth.totals.refused);
      EXPECT_LE(truth.share, 1) << ToText(kind) << ", seed " << seed;
      EXPECT_GT(truth.share, 0.6) << ToText(kind) << ", seed " << seed;
      for (const WindowTruth& window : truth.limits[0].windows) {
        EXPECT_LE(window.used, kind == LimitKind::kBucket ? 14 : 7) << ToText(kind);
      }
    }
  }
}

LimitOptions AnyLimit(LimitKind kind, std::mt19937* random) {
  constexpr Micros kWindows[] = {seconds(1), seconds(4), seconds(20)};  // of which each holds the ones before
  LimitOptions limit = Limit(kind, 1 + (*random)() % 12, kWindows[(*random)() % 3]);
  if (limit.kind == LimitKind::kBucket && (*random)() % 2 == 0) limit.burst = 1 + (*random)() % 5;
  if ((*random)() % 3 == 0) limit.sub_window = seconds(1);
  return limit;
}

// However long a client hesitates before each call. Windows that begin with a call can be made to lie across
// the ends of others, which gains what fits into one of them, once.
TEST(TruthTest, NoClientHasMoreThanTheOneThatKnowsEverything) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const LimitKind kind = kKinds[random() % 5];
    EnforcerOptions options;
    for (uint32_t n = 1 + random() % 3; n > 0; --n) options.limits.push_back(AnyLimit(kind, &random));
    const auto least = std::ranges::min_element(options.limits, {}, &LimitOptions::limit);
    const bool shifts = kind == LimitKind::kFixed || kind == LimitKind::kElastic;
    Enforcer enforcer(options);
    const uint32_t patience = 1 + random() % 3'000'000;
    SystemTime now = kStart;
    for (int i = 0; i < 100; ++i) {
      const Verdict verdict = enforcer.Ask({}, now);
      const Truth truth = enforcer.TruthAt(now);
      ASSERT_LE(static_cast<double>(truth.totals.admitted),
                *truth.possible_requests + (shifts ? least->limit : 0))
          << "seed " << seed << ", call " << i;
      ASSERT_EQ(truth.violations, 0) << "seed " << seed;
      now +=
          verdict.admitted() ? Micros(random() % patience) : *verdict.wait + Micros(random() % patience / 4);
    }
  }
}

TEST(TruthTest, ABucketLetsThroughItsBurstAndItsRateInEverySpan) {
  Enforcer enforcer(
      {.limits = {{.kind = LimitKind::kBucket, .limit = 7, .window = seconds(10), .burst = 3}}});
  const std::vector<SystemTime> admitted = Hammer(1, &enforcer);
  for (size_t first = 0; first < admitted.size(); ++first) {
    for (size_t last = first; last < admitted.size(); ++last) {
      const double most = 3 + 0.7 * ToSeconds(admitted[last] - admitted[first]) + 1e-6;
      ASSERT_LE(static_cast<double>(last - first + 1), most);
    }
  }
}

}  // namespace
}  // namespace apiquota::simulate
