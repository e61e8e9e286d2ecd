// What must hold whatever arrives, in whatever order, under whatever clock. Each test runs a model of an API
// with many seeds; a failure names its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

constexpr uint64_t kSeeds = 100;
constexpr double kLimit = 20;
constexpr double kWindow = 60;

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  double Below(double bound) { return static_cast<double>(engine_() % 1'000'000) / 1e6 * bound; }
  bool OneIn(uint64_t n) { return engine_() % n == 0; }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

double WindowEndAt(double t) { return (std::floor(t / kWindow) + 1) * kWindow; }

// An API with a fixed window: what it answered to `windows` windows of requests, sorted by arrival. The first
// answer of each window arrives at once, the others up to half a window late, some of them twice.
struct FixedRun {
  std::vector<Response> responses;
  double consumed = 0;
  double remaining = kLimit;  // at the end
};

Response Answer(double sent, double received, uint64_t order, double remaining) {
  return {received, std::floor(sent),
          order,    {.limit = kLimit, .remaining = remaining, .reset = WindowEndAt(sent)},
          "ci",     "api",
          sent};
}

FixedRun RunFixed(Dice* dice, int windows) {
  FixedRun run;
  uint64_t order = 0;
  for (int w = 0; w < windows; ++w) {
    run.remaining = kLimit;
    double t = w * kWindow;
    run.responses.push_back(Answer(t, t, ++order, run.remaining));
    while ((t += 0.1 + dice->Below(6)) < (w + 1) * kWindow) {
      if (run.remaining > 0) {
        --run.remaining;
        ++run.consumed;
      }
      const double late = dice->OneIn(3) ? dice->Below(kWindow / 2) : dice->Below(0.3);
      run.responses.push_back(Answer(t, t + late, ++order, run.remaining));
      if (dice->OneIn(5)) run.responses.push_back(run.responses.back());
    }
  }
  std::ranges::sort(run.responses, {}, [](const Response& r) { return std::pair(r.received, r.order); });
  return run;
}

// Sees every view of one quota and holds each against the one before.
class Watch {
 public:
  void See(const QuotaView& view, SystemTime now) {
    if (view.valid && view.reset_at) {
      EXPECT_LT(now, *view.reset_at);
    }
    EXPECT_EQ(view.remaining.has_value(), view.valid);
    EXPECT_GE(view.consumed_total, last_.consumed_total);
    EXPECT_GE(view.windows_exhausted_total, last_.windows_exhausted_total);
    EXPECT_GE(view.limit_changes_total, last_.limit_changes_total);
    if (view.window_peaks && last_.window_peaks) {
      for (size_t i = 0; i < view.window_peaks->counts.size(); ++i) {
        EXPECT_GE(view.window_peaks->counts[i], last_.window_peaks->counts[i]);
      }
    }
    const bool same_window = view.valid && last_.valid && view.reset_at == last_.reset_at;
    if (view.kind == QuotaKind::kFixed && same_window) {
      EXPECT_LE(view.remaining, last_.remaining);
    }
    if (view.exhaustion_at && view.kind == QuotaKind::kFixed) {
      EXPECT_LT(*view.exhaustion_at, view.reset_at);
    }
    last_ = view;
  }

 private:
  QuotaView last_;
};

TEST(LedgerPropertyTest, LateAndDuplicateAnswersNeverRaiseAWindowAndEveryUnitIsCountedOnce) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const FixedRun run = RunFixed(&dice, 5);
    Bench bench;
    Watch watch;
    double now = 0;
    for (const Response& response : run.responses) {
      now = std::max(now, response.received);
      bench.Tell(response, now);
      watch.See(bench.View(now), At(now));
    }
    EXPECT_EQ(bench.View(now).consumed_total, run.consumed);
    const double last_moment = 5 * kWindow - 0.001;
    if (now < last_moment) {
      EXPECT_EQ(bench.View(last_moment).remaining, run.remaining);
    }
    EXPECT_EQ(bench.View(std::max(now, 5 * kWindow)).remaining, std::nullopt);
  }
}

TEST(LedgerPropertyTest, AFixedWindowEndsTheSameInWhateverOrderItsAnswersArrive) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    FixedRun run = RunFixed(&dice, 1);
    for (Response& response : run.responses) response.received = std::min(response.received, kWindow - 1);
    Bench in_order;
    for (const Response& response : run.responses) in_order.Tell(response, kWindow - 1);
    std::ranges::shuffle(run.responses, dice.engine());
    Bench shuffled;
    for (const Response& response : run.responses) shuffled.Tell(response, kWindow - 1);
    EXPECT_EQ(shuffled.ledger.Save(At(kWindow)), in_order.ledger.Save(At(kWindow)));
    EXPECT_EQ(shuffled.View(kWindow).consumed_total, in_order.View(kWindow).consumed_total);
    EXPECT_EQ(shuffled.View(kWindow).consumed_total, run.consumed);
    EXPECT_EQ(shuffled.View(kWindow).windows_exhausted_total, in_order.View(kWindow).windows_exhausted_total);
  }
}

TEST(LedgerPropertyTest, ADuplicateChangesNothingForAnyKind) {
  constexpr QuotaKind kKinds[] = {QuotaKind::kFixed, QuotaKind::kSliding, QuotaKind::kBucket,
                                  QuotaKind::kConcurrency, QuotaKind::kBalance};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    Bench bench;
    std::vector<Response> past;
    double now = 0;
    for (uint64_t order = 1; order <= 60; ++order) {
      now += dice.Below(20);
      Words words{.limit = kLimit, .remaining = std::floor(dice.Below(kLimit + 1)), .kind = kKinds[seed % 5]};
      if (!dice.OneIn(4))
        words.reset = words.kind == QuotaKind::kFixed ? WindowEndAt(now) : now + dice.Below(kWindow);
      if (dice.OneIn(2)) words.window = kWindow;
      past.push_back({now, std::floor(now), order, words});
      bench.Tell(past.back());
      const std::string saved = bench.ledger.Save(At(now));
      const double consumed = bench.View(now).consumed_total;
      bench.Tell(past.back());
      EXPECT_EQ(bench.ledger.Save(At(now)), saved);
      EXPECT_EQ(bench.View(now).consumed_total, consumed);
    }
  }
}

TEST(LedgerPropertyTest, TheNewestAnswerOfABucketWinsInWhateverOrderTheyArrive) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    std::vector<Response> responses;
    for (uint64_t order = 1; order <= 30; ++order) {
      const double sent = static_cast<double>(order) / 2;
      const double remaining = std::floor(dice.Below(kLimit + 1));
      responses.push_back(
          {sent,
           std::floor(sent),
           order,
           {.limit = kLimit, .remaining = remaining, .reset = sent + 100, .kind = QuotaKind::kBucket}});
    }
    const Response newest = responses.back();
    std::ranges::shuffle(responses, dice.engine());
    Bench bench;
    Watch watch;
    for (const Response& response : responses) {
      bench.Tell(response, 16);
      watch.See(bench.View(16), At(16));
    }
    EXPECT_EQ(bench.View(16).remaining, newest.words.remaining);
    EXPECT_EQ(bench.View(16).reset_at, At(115));
  }
}

// A bucket that refills continuously; answers arrive at once. `rounded`: the API says whole units, rounded
// down.
void RunBucket(uint64_t seed, bool rounded, double tolerance, double tolerance_ratio) {
  SCOPED_TRACE(seed);
  Dice dice(seed);
  const double rate = kLimit / kWindow;
  double level = kLimit, now = 0, consumed = 0;
  Bench bench;
  Watch watch;
  for (uint64_t order = 1; order <= 400; ++order) {
    const bool idle = order == 1 || dice.OneIn(3);  // the first answer sets the baseline
    const double cost = idle ? 0 : std::min(std::floor(level), 1 + std::floor(dice.Below(3)));
    level -= cost;
    consumed += cost;
    const double said = rounded ? std::floor(level) : level;
    const Words words{.limit = kLimit,
                      .remaining = said,
                      .reset = now + 0.001 + (kLimit - level) / rate,
                      .window = kWindow,
                      .kind = QuotaKind::kBucket};
    bench.Tell({now, std::floor(now), order, words});
    watch.See(bench.View(now), At(now));
    EXPECT_NEAR(bench.View(now).consumed_total, consumed, tolerance + tolerance_ratio * consumed);
    const double pause = dice.OneIn(10) ? dice.Below(40) : dice.Below(4);
    now += pause;
    level = std::min(kLimit, level + rate * pause);
  }
}

TEST(LedgerPropertyTest, ABucketsConsumptionIsWhatWasTaken) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) RunBucket(seed, false, 0.01, 0);
}

// Each time it fills up, up to a unit that was never said came back.
TEST(LedgerPropertyTest, WholeUnitsCostABucketsConsumptionAFewPercentAtMost) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) RunBucket(seed, true, 3, 0.05);
}

}  // namespace
}  // namespace apiquota::quota
