#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

namespace apiquota::net {
namespace {

using std::chrono::milliseconds;

constexpr SteadyTime kStart{};

// Notes when it fired, and may do something then.
struct Alarm final : TimerHandler {
  explicit Alarm(const SteadyTime& now_in) : now(now_in), timer(*this) {}
  void OnTimer(Timer&) override {
    fired_at.push_back(std::chrono::duration_cast<milliseconds>(now - kStart).count());
    if (then) then();
  }
  const SteadyTime& now;
  Timer timer;
  std::vector<int64_t> fired_at;
  std::function<void()> then;
};

class TimerWheelTest : public testing::Test {
 protected:
  void AdvanceTo(int64_t ms) {
    while (now_ < kStart + milliseconds(ms)) {
      now_ += milliseconds(50);
      wheel_.Advance(now_);
    }
  }
  SteadyTime now_ = kStart;
  TimerWheel wheel_{kStart};
};

TEST_F(TimerWheelTest, NeverFiresEarlyAndAtMostTwoTicksLate) {
  for (const int64_t delay : {1, 99, 100, 101, 1000, 51'200, 51'300, 200'000}) {
    Alarm alarm(now_);
    const int64_t armed_at = (now_ - kStart) / milliseconds(1);
    wheel_.Arm(alarm.timer, milliseconds(delay));
    AdvanceTo(armed_at + delay + 500);
    ASSERT_EQ(alarm.fired_at.size(), 1U) << delay;
    EXPECT_GE(alarm.fired_at[0], armed_at + delay) << delay;
    EXPECT_LE(alarm.fired_at[0], armed_at + delay + 200) << delay;
  }
}

TEST_F(TimerWheelTest, ArmingAgainReplacesTheDeadline) {
  Alarm alarm(now_);
  wheel_.Arm(alarm.timer, milliseconds(500));
  AdvanceTo(400);
  wheel_.Arm(alarm.timer, milliseconds(500));
  AdvanceTo(2000);
  EXPECT_EQ(alarm.fired_at, (std::vector<int64_t>{1000}));
}

TEST_F(TimerWheelTest, ADisarmedOrDestroyedTimerDoesNotFire) {
  Alarm disarmed(now_);
  auto destroyed = std::make_unique<Alarm>(now_);
  wheel_.Arm(disarmed.timer, milliseconds(100));
  wheel_.Arm(destroyed->timer, milliseconds(100));
  disarmed.timer.Disarm();
  EXPECT_FALSE(disarmed.timer.armed());
  destroyed.reset();
  AdvanceTo(1000);
  EXPECT_TRUE(disarmed.fired_at.empty());
}

TEST_F(TimerWheelTest, AHandlerMayDestroyAndDisarmOthersThatAreDueWithIt) {
  Alarm first(now_);
  auto second = std::make_unique<Alarm>(now_);
  Alarm third(now_);
  first.then = [&] {
    second.reset();
    third.timer.Disarm();
    wheel_.Arm(first.timer, milliseconds(300));
    first.then = nullptr;
  };
  for (Timer* timer : {&first.timer, &second->timer, &third.timer}) wheel_.Arm(*timer, milliseconds(100));
  AdvanceTo(1000);
  EXPECT_EQ(first.fired_at, (std::vector<int64_t>{200, 600}));
  EXPECT_TRUE(third.fired_at.empty());
}

TEST_F(TimerWheelTest, ALongPauseOfTheLoopFiresEverythingThatIsDueOnce) {
  Alarm near(now_);
  Alarm far(now_);
  Alarm later(now_);
  wheel_.Arm(near.timer, milliseconds(100));
  wheel_.Arm(far.timer, std::chrono::seconds(60));
  wheel_.Arm(later.timer, std::chrono::seconds(600));
  now_ += std::chrono::seconds(120);
  wheel_.Advance(now_);
  EXPECT_EQ(near.fired_at, (std::vector<int64_t>{120'000}));
  EXPECT_EQ(far.fired_at, (std::vector<int64_t>{120'000}));
  EXPECT_TRUE(later.fired_at.empty());
}

}  // namespace
}  // namespace apiquota::net
