// Limits of the operator's own over seeds, in virtual time, held against what they promise and against models
// that keep everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <vector>

#include "guard/own_limits_meter.h"
#include "tests/guard/own_limits_under_test.h"

namespace apiquota::guard {
namespace {

using Algorithm = LimitRule::Algorithm;
constexpr int kSeeds = 200;

struct Draw {
  explicit Draw(int seed) : random(static_cast<uint64_t>(seed)) {}
  int64_t Of(int64_t least, int64_t most) { return std::uniform_int_distribution(least, most)(random); }
  std::mt19937_64 random;
};

LimitRule Drawn(Draw* draw, Algorithm algorithm) {
  LimitRule rule = Rule("default", static_cast<uint64_t>(draw->Of(1, draw->Of(0, 1) == 0 ? 60 : 300)),
                        Micros(draw->Of(1'000'000, 100'000'000)), algorithm);
  rule.burst = static_cast<uint64_t>(draw->Of(1, 20));
  return rule;
}

// Bursts, steady streams and pauses, so that every limit is met from both sides.
SystemTime Next(Draw* draw, SystemTime now, const LimitRule& rule) {
  const int64_t each = rule.window.count() / static_cast<int64_t>(rule.limit);
  switch (draw->Of(0, 9)) {
    case 0:
      return now + Micros(draw->Of(0, 2 * rule.window.count()));
    case 1:
    case 2:
    case 3:
      return now;
    default:
      return now + Micros(draw->Of(0, each));
  }
}

TEST(OwnLimitsPropertyTest, NoSpanOfAWindowEverHoldsMoreThanASlidingLimit) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    Draw draw(seed);
    const LimitRule rule = Drawn(&draw, Algorithm::kSliding);
    OwnLimits limits({rule});
    SystemTime now = kStart;
    std::deque<SystemTime> admitted;
    for (int i = 0; i < 2000; ++i) {
      now = Next(&draw, now, rule);
      if (!Admits(limits, From("192.0.2.1"), now)) continue;
      admitted.push_back(now);
      while (admitted.front() + rule.window <= now) admitted.pop_front();
      ASSERT_LE(admitted.size(), rule.limit) << "seed " << seed;
    }
  }
}

TEST(OwnLimitsPropertyTest, SmallSlidingLimitsAndFixedOnesAreThoseOfAModelThatKeepsEverything) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    for (const Algorithm algorithm : {Algorithm::kFixed, Algorithm::kSliding}) {
      Draw draw(seed);
      LimitRule rule = Drawn(&draw, algorithm);
      rule.limit = std::min(rule.limit, LimitMeter::kExactMost);
      OwnLimits limits({rule});
      SystemTime now = kStart;
      std::deque<SystemTime> model;
      for (int i = 0; i < 1000; ++i) {
        now = Next(&draw, now, rule);
        if (algorithm == Algorithm::kSliding)
          while (!model.empty() && model.front() + rule.window <= now) model.pop_front();
        if (algorithm == Algorithm::kFixed && !model.empty() && model.front() + rule.window <= now)
          model.clear();
        const bool room = model.size() < rule.limit;
        if (room) model.push_back(now);
        ASSERT_EQ(Admits(limits, From("192.0.2.1"), now), room) << "seed " << seed << " at " << i;
      }
    }
  }
}

TEST(OwnLimitsPropertyTest, GcraIsABucketThatFillsAtItsRate) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    Draw draw(seed);
    const LimitRule rule = Drawn(&draw, Algorithm::kGcra);
    OwnLimits limits({rule});
    const double rate = static_cast<double>(rule.limit) / static_cast<double>(rule.window.count());
    SystemTime now = kStart, before = kStart;
    auto level = static_cast<double>(rule.burst);
    for (int i = 0; i < 1000; ++i) {
      now = Next(&draw, now, rule);
      level = std::min(level + static_cast<double>((now - before).count()) * rate,
                       static_cast<double>(rule.burst));
      before = now;
      const bool admitted = Admits(limits, From("192.0.2.1"), now);
      const bool close = std::abs(level - 1) < 1e-3;
      ASSERT_TRUE(close || admitted == (level > 1)) << "seed " << seed << " at " << i;
      if (admitted) level -= 1;
    }
  }
}

TEST(OwnLimitsPropertyTest, WhoComesWhenARefusalSaidIsLetInAndNobodyBeforeThat) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    for (const Algorithm algorithm : {Algorithm::kFixed, Algorithm::kSliding, Algorithm::kGcra}) {
      Draw draw(seed);
      const LimitRule rule = Drawn(&draw, algorithm);
      OwnLimits limits({rule});
      SystemTime now = kStart;
      for (int i = 0; i < 500; ++i) {
        now = Next(&draw, now, rule);
        const LimitTurn turn = limits.Ask(From("192.0.2.1"), now);
        if (!turn.refusal) continue;
        const SystemTime until = turn.refusal->until;
        ASSERT_GT(until, now);
        ASSERT_FALSE(Admits(limits, From("192.0.2.1"), until - Micros(1))) << "seed " << seed << " at " << i;
        ASSERT_TRUE(Admits(limits, From("192.0.2.1"), until)) << "seed " << seed << " at " << i;
        now = until;
      }
    }
  }
}

TEST(OwnLimitsPropertyTest, RefusalsChangeNothingAndWhatComesBackNeverHappened) {
  for (int seed = 0; seed < kSeeds / 2; ++seed) {
    for (const Algorithm algorithm : {Algorithm::kFixed, Algorithm::kSliding, Algorithm::kGcra}) {
      Draw draw(seed);
      const LimitRule rule = Drawn(&draw, algorithm);
      OwnLimits limits({rule, Rule("other", 7, minutes(1))}), twin({rule, Rule("other", 7, minutes(1))});
      SystemTime now = kStart;
      for (int i = 0; i < 200; ++i) {
        now = Next(&draw, now, rule);
        const std::string address = "192.0.2." + std::to_string(draw.Of(1, 3));
        const std::string before = StateOf(limits, now);
        const LimitTurn turn = limits.Ask(From(address), now);
        const bool changed = StateOf(limits, now) != before;
        ASSERT_FALSE(turn.refusal && changed) << "seed " << seed << " at " << i;
        if (!turn.refusal && draw.Of(0, 1) == 0) {
          limits.Refund(turn.hold, now);
        } else {
          ASSERT_EQ(Admits(twin, From(address), now), !turn.refusal) << "seed " << seed << " at " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace apiquota::guard
