// APIs that behave badly in all the ways that were seen, each with many seeds: resets that are not said or
// far off, Dates of machines that are wrong, clocks that wander, answers out of caches, two limiters under
// one name. Whatever they say, no amount is negative, no consumption is invented, and a window of honest
// answers sets everything right (docs/quota-semantics.md). A failure names its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

constexpr double kLimit = 20;
constexpr double kWindow = 60;

struct Faults {
  bool resets_said = true;
  bool far_resets = false;
  bool wrong_dates = false;
  bool wandering_clock = false;
  bool cached = false;
  bool other_limiter = false;
};

class World {
 public:
  World(uint64_t seed, const Faults& faults) : random_(seed), faults_(faults) {}

  // One request and its answer; `honest`: without any of the faults of single answers.
  Response Next(bool honest) {
    now_ += 0.2 + Below(5);
    if (std::floor(now_ / kWindow) != window_) {
      window_ = std::floor(now_ / kWindow);
      used_ = 0;
    }
    if (used_ < kLimit) {
      ++used_;
      ++consumed_;
    }
    if (faults_.wandering_clock) offset_ += Below(2) - 1;
    Response answer{now_ + Below(0.3), std::floor(now_ + offset_), ++order_, Truth(), "ci", "api", now_};
    now_ = answer.received;
    if (!honest) Disturb(&answer);
    if (answer.age == 0) past_ = answer;
    return answer;
  }

  double now() const { return now_; }
  double consumed() const { return consumed_; }
  double remaining() const { return kLimit - used_; }

 private:
  double Below(double bound) { return static_cast<double>(random_() % 1'000'000) / 1e6 * bound; }
  bool OneIn(uint64_t n) { return random_() % n == 0; }

  Words Truth() const {
    Words words{.limit = kLimit, .remaining = kLimit - used_};
    if (faults_.resets_said) words.reset = (window_ + 1) * kWindow + offset_;
    return words;
  }

  void Disturb(Response* answer) {
    if (faults_.far_resets && OneIn(20)) answer->words.reset = now_ + 86'400 * (1 + Below(390));
    if (faults_.wrong_dates && OneIn(10)) answer->date = now_ + Below(160'000) - 80'000;
    if (faults_.other_limiter && OneIn(4)) answer->words = {.limit = 1000, .remaining = 990, .reset = 36'000};
    if (faults_.cached && OneIn(5) && past_.order != 0) {
      const Response now = *answer;
      *answer = past_;
      answer->received = now.received;
      answer->sent = now.sent;
      answer->order = now.order;
      answer->age = std::max(1.0, now.received - past_.received);
    }
  }

  std::mt19937_64 random_;
  const Faults faults_;
  double now_ = 0, offset_ = 0, window_ = 0, used_ = 0, consumed_ = 0;
  uint64_t order_ = 0;
  Response past_;
};

void NothingNegative(const QuotaView& view) {
  EXPECT_GE(view.remaining.value_or(0), 0);
  EXPECT_GE(view.used.value_or(0), 0);
  EXPECT_GE(view.used_ratio.value_or(0), 0);
  EXPECT_GE(view.limit.value_or(0), 0);
}

void Live(const Faults& faults) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, faults);
    Bench bench;
    for (int i = 0; i < 200; ++i) {
      bench.Tell(world.Next(false));
      const QuotaView view = bench.View(world.now());
      NothingNegative(view);
      EXPECT_LE(view.consumed_total, world.consumed() + kLimit);
    }
    const double until = world.now() + kWindow;
    const auto right = [&] {
      const QuotaView view = bench.View(world.now());
      return view.limit == kLimit && view.remaining == world.remaining();
    };
    while (world.now() < until || (!right() && world.now() < until + 5)) bench.Tell(world.Next(true));
    EXPECT_TRUE(right());
    if (testing::Test::HasFailure()) return;
  }
}

TEST(LedgerWorldsTest, AnHonestApi) { Live({}); }
TEST(LedgerWorldsTest, NoResets) { Live({.resets_said = false}); }
TEST(LedgerWorldsTest, FarResets) { Live({.far_resets = true}); }
TEST(LedgerWorldsTest, WrongDates) { Live({.wrong_dates = true}); }
TEST(LedgerWorldsTest, AWanderingClock) { Live({.wandering_clock = true}); }
TEST(LedgerWorldsTest, AnswersOutOfCaches) { Live({.cached = true}); }
TEST(LedgerWorldsTest, TwoLimiters) { Live({.other_limiter = true}); }
TEST(LedgerWorldsTest, WrongDatesWithoutResets) { Live({.resets_said = false, .wrong_dates = true}); }
TEST(LedgerWorldsTest, EverythingAtOnce) {
  Live({.far_resets = true,
        .wrong_dates = true,
        .wandering_clock = true,
        .cached = true,
        .other_limiter = true});
}

}  // namespace
}  // namespace apiquota::quota
