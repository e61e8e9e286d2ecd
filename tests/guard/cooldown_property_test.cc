#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "guard/cooldown.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const SystemTime kStart{seconds(1'750'000'000)};

// An API that refuses until `recovers` in every way seen, before clients who ask without end.
class World {
 public:
  World(unsigned seed, SystemTime recovers) : random_(seed), recovers_(recovers) {}

  void Run(SystemTime end) {
    for (now_ = kStart; now_ < end; now_ += milliseconds(20)) {
      while (!under_way_.empty() && under_way_.begin()->first <= now_) {
        const auto [answered_at, request] = *under_way_.begin();
        under_way_.erase(under_way_.begin());
        Answered(request);
      }
      Ask();
    }
  }

  std::optional<SystemTime> first_served;
  int probes = 0;
  int refused = 0;
  int beside_a_probe = 0;  // requests that went while a probe was out

 private:
  struct Request {
    SystemTime sent_at;
    bool probe = false;
    bool served = false;
  };

  void Ask() {
    const bool due = cooldown_.ProbeDue(options_, now_);
    if (cooldown_.active(now_) && !due) return;
    const bool lapse = !cooldown_.active(now_);
    const bool probe = cooldown_.TakeProbe(now_);
    if (probe_out_ && now_ < *probe_out_ + seconds(2) && !due) ++beside_a_probe;
    if (probe) ++probes;
    if (probe && lapse) probe_out_ = now_;
    const Request request{now_, probe && lapse, now_ >= recovers_};
    under_way_.emplace(now_ + milliseconds(random_() % 3000), request);
  }

  void Answered(const Request& request) {
    if (request.served) {
      if (!first_served) first_served = request.sent_at;
      cooldown_.Served(request.sent_at, now_);
      probe_out_.reset();  // whoever was served shows that others may go
    } else {
      Refused(request);
    }
    if (!request.probe) return;
    cooldown_.ProbeAnswered(now_);
    if (probe_out_ == request.sent_at) probe_out_.reset();
  }

  void Refused(const Request& request) {
    ++refused;
    const provider::Throttle throttle{provider::ThrottleScope::kPrimary,
                                      static_cast<provider::ThrottleSignal>(random_() % 4), ""};
    Answer answer;
    answer.status = 429;
    answer.received_at = now_;
    answer.throttle = &throttle;
    constexpr double kSaid[] = {-5, 0, 0.3, 2, 40, 290, 4000, 365.0 * 86400, 1e300};
    if (random_() % 2 == 0) answer.retry_after_seconds = kSaid[random_() % std::size(kSaid)];
    std::optional<SystemTime> reset;
    if (random_() % 4 == 0) reset = now_ + seconds(static_cast<int>(random_() % 200) - 20);
    const double jitter = static_cast<double>(random_() % 100) / 100;
    cooldown_.Refused(answer, {request.sent_at, request.sent_at}, reset, std::nullopt, jitter, now_);
  }

  std::mt19937_64 random_;
  SystemTime recovers_;
  SystemTime now_;
  Cooldown cooldown_;
  CooldownOptions options_;
  std::multimap<SystemTime, Request> under_way_;
  std::optional<SystemTime> probe_out_;
};

TEST(CooldownPropertyTest, NoApiThatServesAgainStaysClosedForMoreThanFiveMinutes) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const SystemTime recovers = kStart + seconds(seed * 37 % 1200);
    World world(seed, recovers);
    world.Run(recovers + minutes(11));
    ASSERT_TRUE(world.first_served) << seed;
    EXPECT_LE(*world.first_served - recovers, minutes(5) + seconds(1)) << seed;
  }
}

TEST(CooldownPropertyTest, NobodyGoesBesideAProbe) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    World world(seed, kStart + minutes(40));
    world.Run(kStart + minutes(30));
    EXPECT_EQ(world.beside_a_probe, 0) << seed;
    EXPECT_GT(world.probes, 0) << seed;
  }
}

}  // namespace
}  // namespace apiquota::guard
