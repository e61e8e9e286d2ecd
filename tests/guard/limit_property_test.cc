// Simple APIs that count by one rule each, asked at random, by a limit that was told the level once and then
// nothing more: whatever the phase and the pauses, none may be overrun, and none may be closed for ever.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/guard/limit_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Micros kWindow = seconds(60);
enum class Rule : uint8_t { kFixed, kAligned, kSliding, kBucket };

// Counts the calls of one key.
class Counter {
 public:
  Counter(Rule rule, double limit, SystemTime phase) : rule_(rule), limit_(limit), begun_(phase) {}

  // Refused: false.
  bool Call(SystemTime now) {
    Pass(now);
    if (Left() < 1) return false;
    if (rule_ == Rule::kFixed && used_ == 0) begun_ = now;
    used_ += 1;
    if (rule_ == Rule::kSliding) sent_.push_back(now);
    return true;
  }
  double Left() const { return limit_ - used_; }
  SystemTime End() const { return begun_ + kWindow; }

 private:
  void Pass(SystemTime now) {
    switch (rule_) {
      case Rule::kFixed:
        if (now >= begun_ + kWindow) used_ = 0;
        return;
      case Rule::kAligned:
        for (; now >= begun_ + kWindow; begun_ += kWindow) used_ = 0;
        return;
      case Rule::kSliding:
        for (; !sent_.empty() && sent_.front() + kWindow <= now; sent_.pop_front()) used_ -= 1;
        return;
      case Rule::kBucket:
        used_ = std::max(0.0, used_ - ToSeconds(Micros(now - begun_)) * limit_ / ToSeconds(kWindow));
        begun_ = now;
    }
  }

  Rule rule_;
  double limit_;
  SystemTime begun_;
  double used_ = 0;
  std::deque<SystemTime> sent_;
};

class SilentApiTest : public LimitTest, public testing::WithParamInterface<Rule> {
 protected:
  struct Flight {
    SystemTime arrives, answered;
    Id id = 0;
  };

  void Begin(double whole, SystemTime phase) {
    const Rule rule = GetParam();
    Make(rule == Rule::kBucket ? Kind::kBucket : rule == Rule::kSliding ? Kind::kSliding : Kind::kFixed);
    api.emplace(rule, whole, phase);
    reading.limit = whole;
    reading.window_seconds = ToSeconds(kWindow);
    ASSERT_TRUE(api->Call(now));
    if (rule == Rule::kFixed || rule == Rule::kAligned) reading.reset_at = api->End();
    Call(api->Left());
  }

  // What has arrived or been answered by now.
  void Deliver() {
    std::erase_if(flights, [&](Flight& flight) {
      if (flight.arrives != SystemTime{} && flight.arrives <= now) {
        refused += api->Call(flight.arrives) ? 0 : 1;
        flight.arrives = {};
      }
      if (flight.answered > now) return false;
      limit->Answered(flight.id, now);
      limit->Settle(flight.id, 1, now);
      return true;
    });
  }

  std::optional<Counter> api;
  std::vector<Flight> flights;
  int refused = 0;
};

TEST_P(SilentApiTest, IsNeitherOverrunNorClosed) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    const auto upto = [&](int64_t most) {
      return static_cast<int64_t>(random() % static_cast<uint64_t>(most));
    };
    const auto whole = static_cast<double>(5 + upto(60));
    now = kStart;
    flights.clear();
    refused = 0;
    Begin(whole, now - milliseconds(upto(59'000)));
    int sent = 0;
    while (now < kStart + 20 * kWindow) {
      // Many at once, then a pause of up to a window.
      for (int64_t burst = upto(40); burst > 0 && Goes(); --burst) {
        const Id id = Take();
        const SystemTime arrives = now + milliseconds(1 + upto(100));
        flights.push_back({arrives, arrives + milliseconds(1 + upto(400)), id});
        ++sent;
      }
      const SystemTime until = now + milliseconds(1 + upto(upto(4) == 0 ? 60'000 : 3'000));
      for (; now < until; now += milliseconds(5)) Deliver();
    }
    EXPECT_EQ(refused, 0) << "seed " << seed;
    EXPECT_GE(sent, 7 * whole) << "seed " << seed;
  }
}

std::string NameOf(const testing::TestParamInfo<Rule>& rule) {
  constexpr const char* kNames[] = {"Fixed", "Aligned", "Sliding", "Bucket"};
  return kNames[static_cast<size_t>(rule.param)];
}

INSTANTIATE_TEST_SUITE_P(EachRule, SilentApiTest,
                         testing::Values(Rule::kFixed, Rule::kAligned, Rule::kSliding, Rule::kBucket),
                         NameOf);

}  // namespace
}  // namespace apiquota::guard
