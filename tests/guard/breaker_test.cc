// The circuit breaker in virtual time.
#include "guard/breaker.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""min;

class BreakerTest : public testing::Test {
 protected:
  // One attempt that begins and ends now; false: it was not let through.
  bool Try(Health health) {
    const auto pass = breaker.Enter(now);
    if (pass) breaker.Ended(*pass, health, now);
    return pass.has_value();
  }
  void Break() {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(Try(Health::kIll));
    EXPECT_TRUE(breaker.Refuses(now));
  }

  SystemTime now = kStart;
  Breaker breaker{BreakerOptions{}};
};

TEST_F(BreakerTest, ItOpensByFailuresInARowAndNotBefore) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Try(Health::kIll));
  EXPECT_FALSE(breaker.Refuses(now));
  EXPECT_TRUE(Try(Health::kWell));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Try(Health::kIll));
  EXPECT_FALSE(breaker.Refuses(now));
  EXPECT_TRUE(Try(Health::kIll));
  EXPECT_EQ(breaker.Refuses(now), now + 10s);
  EXPECT_FALSE(Try(Health::kWell));
  const BreakerView view = breaker.View();
  EXPECT_TRUE(view.open);
  EXPECT_EQ(view.until, now + 10s);
  EXPECT_EQ(view.trips, 1U);
  EXPECT_EQ(view.opened_at, now);
}

TEST_F(BreakerTest, WhatShowsNothingNeitherOpensItNorIsASuccess) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Try(Health::kUnknown));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Try(Health::kIll));
  EXPECT_TRUE(Try(Health::kUnknown));
  EXPECT_TRUE(Try(Health::kIll));
  EXPECT_TRUE(breaker.Refuses(now));
}

TEST_F(BreakerTest, ItOpensByTheShareOfTheLastTenSeconds) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Try(Health::kWell));
    EXPECT_FALSE(breaker.Refuses(now)) << "19 are too few";
    EXPECT_TRUE(Try(Health::kIll));
  }
  EXPECT_TRUE(breaker.Refuses(now));
}

TEST_F(BreakerTest, WhatIsTenSecondsAgoCountsNoMore) {
  for (int i = 0; i < 9; ++i) {
    EXPECT_TRUE(Try(Health::kWell));
    EXPECT_TRUE(Try(Health::kIll));
  }
  now += 11s;
  EXPECT_TRUE(Try(Health::kWell));
  EXPECT_TRUE(Try(Health::kIll));
  EXPECT_FALSE(breaker.Refuses(now));
}

TEST_F(BreakerTest, NoErrorsInARowMeansByTheShareAlone) {
  BreakerOptions options;
  options.errors = 0;
  breaker.Configure(options);
  for (int i = 0; i < 19; ++i) EXPECT_TRUE(Try(Health::kIll));
  EXPECT_FALSE(breaker.Refuses(now));
  EXPECT_TRUE(Try(Health::kIll));
  EXPECT_TRUE(breaker.Refuses(now));
}

TEST_F(BreakerTest, OneProbeGoesAndWhenItIsWellEverybodyMay) {
  Break();
  now += 10s;
  EXPECT_FALSE(breaker.Refuses(now));
  const auto probe = breaker.Enter(now);
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe);
  EXPECT_EQ(breaker.Refuses(now), now + 1s) << "nobody knows, so a moment";
  EXPECT_FALSE(breaker.Enter(now));
  now += 300ms;
  breaker.Ended(*probe, Health::kWell, now);
  EXPECT_FALSE(breaker.Refuses(now));
  EXPECT_FALSE(breaker.View().open);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Try(Health::kIll)) << "it begins anew";
  EXPECT_FALSE(breaker.Refuses(now));
}

TEST_F(BreakerTest, EachProbeThatFailsDoublesTheTimeUpToTheMost) {
  Break();
  std::vector<double> spans;
  for (int i = 0; i < 6; ++i) {
    const SystemTime until = *breaker.Refuses(now);
    spans.push_back(ToSeconds(until - now));
    now = until - 1ms;
    EXPECT_FALSE(Try(Health::kWell));
    now = until;
    EXPECT_TRUE(Try(Health::kIll));
  }
  EXPECT_EQ(spans, (std::vector<double>{10, 20, 40, 80, 120, 120}));
  EXPECT_EQ(breaker.View().trips, 1U);
  EXPECT_EQ(breaker.View().probes, 6U);
  now = *breaker.Refuses(now);
  EXPECT_TRUE(Try(Health::kWell));
  Break();
  EXPECT_EQ(breaker.Refuses(now), now + 10s) << "the next time it is ill is another";
}

TEST_F(BreakerTest, AProbeWhoseClientLeavesGivesItsPlaceToTheNext) {
  Break();
  now += 10s;
  EXPECT_TRUE(Try(Health::kUnknown));
  EXPECT_FALSE(breaker.Refuses(now));
  EXPECT_TRUE(Try(Health::kWell));
  EXPECT_FALSE(breaker.View().open);
}

TEST_F(BreakerTest, WhatBeganBeforeItOpenedSaysNothingOfNow) {
  const auto slow = breaker.Enter(now), other = breaker.Enter(now);
  Break();
  breaker.Ended(*slow, Health::kWell, now);
  EXPECT_TRUE(breaker.Refuses(now));
  now += 10s;
  const auto probe = breaker.Enter(now);
  breaker.Ended(*other, Health::kIll, now);
  EXPECT_EQ(breaker.Refuses(now), now + 1s) << "the probe decides, and it is out";
  breaker.Ended(*probe, Health::kWell, now);
  EXPECT_FALSE(breaker.Refuses(now));
}

// Over seeds: attempts of any length, outcomes that change with the API's health.
TEST_F(BreakerTest, NeverMoreThanOneProbeAtATimeNorTwoThatToldInOneLapse) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t most) { return random() % most; };
    BreakerOptions options;
    options.errors = below(6);
    options.open = Micros(100'000 + below(3'000'000));
    options.open_max = options.open * static_cast<int64_t>(1 + below(10));
    Breaker one(options);
    SystemTime at = kStart;
    struct Out {
      BreakerPass pass;
      SystemTime until;
    };
    std::vector<Out> out;
    bool ill = false;
    uint64_t probes_out = 0;
    std::optional<SystemTime> told;  // when a probe last said that it is ill
    for (int step = 0; step < 3000; ++step) {
      at += Micros(below(50'000));
      if (below(300) == 0) ill = !ill;
      for (size_t i = 0; i < out.size();) {
        if (out[i].until > at) {
          ++i;
          continue;
        }
        const Out ended = out[i];
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(i));
        const Health health = below(10) == 0 ? Health::kUnknown : ill ? Health::kIll : Health::kWell;
        probes_out -= ended.pass.probe;
        one.Ended(ended.pass, health, at);
        if (ended.pass.probe && health == Health::kIll) {
          ASSERT_TRUE(!told || at >= *told + options.open) << "two told in one lapse, seed " << seed;
          told = at;
        }
      }
      const bool refused = one.Refuses(at).has_value();
      const auto pass = one.Enter(at);
      ASSERT_EQ(refused, !pass) << seed;
      if (!pass) continue;
      probes_out += pass->probe;
      ASSERT_LE(probes_out, 1U) << seed;
      ASSERT_EQ(one.View().open, pass->probe) << seed;
      out.push_back({*pass, at + Micros(below(2'000'000))});
    }
    // Whatever happened, it closes again.
    for (const Out& each : out) one.Ended(each.pass, Health::kUnknown, at);
    at += options.open_max;
    for (int i = 0; i < 2; ++i) {
      const auto pass = one.Enter(at);
      ASSERT_TRUE(pass) << seed;
      one.Ended(*pass, Health::kWell, at);
    }
    EXPECT_FALSE(one.View().open) << seed;
  }
}

}  // namespace
}  // namespace apiquota::guard
