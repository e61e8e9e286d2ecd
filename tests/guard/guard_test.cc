// The guard of several keys, asked from several loops: who gets what, and what comes back.
#include "guard/guard.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class VirtualRim final : public Rim {
 public:
  void Deliver(uint32_t home, std::vector<Granted> granted) override {
    for (Granted& each : granted) delivered[home].push_back(std::move(each));
  }
  void WakeBy(SystemTime at) override { wake = std::min(wake.value_or(at), at); }

  std::map<uint32_t, std::vector<Granted>> delivered;
  std::optional<SystemTime> wake;
};

GuardedApi Api(std::string name, std::string pool, Mode mode = Mode::kOn) {
  GuardedApi api;
  api.api = std::move(name);
  api.pool = std::move(pool);
  api.options.mode = mode;
  return api;
}

Request Asking(SystemTime now, uint32_t home = 0) {
  return {.flow = "a", .deadline = now + seconds(65), .home = home};
}

provider::Reading Empty(SystemTime reset) {
  provider::Reading reading;
  reading.quota = "requests";
  reading.unit = "requests";
  reading.limit = 5;
  reading.remaining = 0;
  reading.reset_at = reset;
  reading.reset_absolute = true;
  return reading;
}

class GuardTest : public testing::Test {
 protected:
  // One request, whose answer says that so much is left.
  void Use(const std::shared_ptr<Account>& account, double left) {
    Turn turn = guard.Ask(account, Asking(now), now);
    turn.ticket.Sent(now);
    now += milliseconds(20);
    std::vector<provider::Reading> readings = {Empty(now + seconds(30))};
    readings[0].remaining = left;
    turn.ticket.Answered({.status = 200,
                          .received_at = now,
                          .date = now,
                          .resource = "",
                          .readings = readings,
                          .throttle = nullptr,
                          .retry_after_seconds = {}},
                         now);
    turn.ticket.Settle(std::nullopt, now);
  }
  void UseUp(const std::shared_ptr<Account>& account) { Use(account, 0); }

  VirtualRim rim;
  Guard guard{rim};
  SystemTime now = kStart;
};

TEST_F(GuardTest, TheQueueOfAnApiIsBoundedForAllItsKeysTogether) {
  GuardedApi api = Api("a", "pool"), other = Api("b", "other");
  api.options.queue.size = other.options.queue.size = 2;
  guard.Configure({api, other}, now);
  const auto first = guard.AccountFor("a", "first", now), second = guard.AccountFor("a", "second", now);
  const auto elsewhere = guard.AccountFor("b", "first", now);
  for (const auto& account : {first, second, elsewhere}) UseUp(account);
  const Turn waits = guard.Ask(first, Asking(now), now);
  EXPECT_EQ(waits.verdict.kind, Verdict::Kind::kQueued);
  EXPECT_EQ(guard.Ask(second, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
  const Turn full = guard.Ask(second, Asking(now), now);
  EXPECT_EQ(full.verdict.kind, Verdict::Kind::kRefuse);
  EXPECT_EQ(full.verdict.reason, Reason::kQueue);
  EXPECT_EQ(guard.Ask(elsewhere, Asking(now), now).verdict.kind, Verdict::Kind::kQueued) << "another api";
  guard.Leave(first, waits.verdict.id, now);
  EXPECT_EQ(guard.Ask(second, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
}

TEST_F(GuardTest, AnApiWithoutAGuardHasNoAccount) {
  guard.Configure({Api("a", "pool-a"), Api("b", "pool-b", Mode::kOff)}, now);
  EXPECT_NE(guard.AccountFor("a", "key", now), nullptr);
  EXPECT_EQ(guard.AccountFor("b", "key", now), nullptr);
  EXPECT_EQ(guard.AccountFor("c", "key", now), nullptr);
}

TEST_F(GuardTest, ApisOfOneUpstreamShareWhatAKeyHasLeft) {
  guard.Configure({Api("a", "pool"), Api("b", "pool")}, now);
  EXPECT_EQ(guard.AccountFor("a", "key", now), guard.AccountFor("b", "key", now));
  EXPECT_NE(guard.AccountFor("a", "key", now), guard.AccountFor("b", "other", now));
}

// It would not be protected, or the other would be held up.
TEST_F(GuardTest, AnApiThatIsProtectedAndOneThatOnlyWatchesShareNoState) {
  guard.Configure({Api("watched", "pool", Mode::kShadow), Api("a", "pool"), Api("b", "pool")}, now);
  const auto watched = guard.AccountFor("watched", "key", now);
  const auto account = guard.AccountFor("b", "key", now);
  EXPECT_NE(watched, account);
  EXPECT_EQ(guard.AccountFor("a", "key", now), account);
  UseUp(watched);
  UseUp(account);
  EXPECT_EQ(guard.Ask(watched, Asking(now), now).verdict.kind, Verdict::Kind::kAdmit);
  EXPECT_EQ(guard.Ask(account, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
}

TEST_F(GuardTest, WhatApisThatShareAStateSayOfItIsTheFirstOnesToSay) {
  GuardedApi second = Api("b", "pool");
  second.options.pace.headroom = 5;
  guard.Configure({Api("a", "pool"), second}, now);
  const auto account = guard.AccountFor("b", "key", now);
  Use(account, 4);
  EXPECT_EQ(guard.Ask(account, Asking(now), now).verdict.kind, Verdict::Kind::kAdmit);
}

TEST_F(GuardTest, AGrantGoesToTheLoopThatAsked) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  const Turn waits = guard.Ask(account, Asking(now, 3), now);
  ASSERT_EQ(waits.verdict.kind, Verdict::Kind::kQueued);
  ASSERT_TRUE(rim.wake);
  now = *rim.wake;
  guard.Advance(now);
  ASSERT_EQ(rim.delivered[3].size(), 1U);
  EXPECT_EQ(rim.delivered[3][0].waiter, waits.verdict.id);
  EXPECT_TRUE(rim.delivered[3][0].ticket);
}

TEST_F(GuardTest, AGrantThatNobodyTakesComesBack) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  ASSERT_EQ(guard.Ask(account, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
  now += seconds(40);
  guard.Advance(now);
  ASSERT_EQ(rim.delivered[0].size(), 1U);
  EXPECT_EQ(guard.View(now).at(0).view.in_flight, 1U);
  rim.delivered.clear();
  EXPECT_EQ(guard.View(now).at(0).view.in_flight, 0U);
}

TEST_F(GuardTest, AnApiThatIsGoneRefusesWhoWaitsForIt) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  ASSERT_EQ(guard.Ask(account, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
  guard.Configure({}, now);
  ASSERT_EQ(rim.delivered[0].size(), 1U);
  ASSERT_TRUE(rim.delivered[0][0].refusal);
  EXPECT_EQ(rim.delivered[0][0].refusal->status, 503);
}

TEST_F(GuardTest, WhoWaitsForAnApiWhoseGuardIsSwitchedOffMayGo) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  ASSERT_EQ(guard.Ask(account, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
  guard.Configure({Api("a", "pool", Mode::kOff)}, now);
  ASSERT_EQ(rim.delivered[0].size(), 1U);
  EXPECT_TRUE(rim.delivered[0][0].ticket);
  EXPECT_EQ(guard.AccountFor("a", "key", now), nullptr);
}

// It was under way when its api went, and only then was it refused.
TEST_F(GuardTest, WhoWaitsForAnotherAttemptAtAnApiThatIsGoneIsNotForgotten) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  guard.Configure({}, now);
  Request again = Asking(now);
  again.again = true;
  again.not_before = now + seconds(1);
  ASSERT_EQ(guard.Ask(account, again, now).verdict.kind, Verdict::Kind::kQueued);
  now += seconds(2);
  guard.Advance(now);
  ASSERT_EQ(rim.delivered[0].size(), 1U);
  EXPECT_TRUE(rim.delivered[0][0].ticket);
}

TEST_F(GuardTest, WhoRestsForLongerThanTheAgentLivesIsRefusedAtOnce) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  Request again = Asking(now);
  again.again = true;
  again.not_before = now + seconds(20);
  ASSERT_EQ(guard.Ask(account, again, now).verdict.kind, Verdict::Kind::kQueued);
  guard.Drain(now + seconds(10), now);
  ASSERT_EQ(rim.delivered[0].size(), 1U);
  ASSERT_TRUE(rim.delivered[0][0].refusal);
  EXPECT_EQ(rim.delivered[0][0].refusal->status, 503);
  EXPECT_EQ(rim.delivered[0][0].refusal->until, now + seconds(20));
}

TEST_F(GuardTest, AReloadKeepsWhoWaits) {
  guard.Configure({Api("a", "pool")}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  ASSERT_EQ(guard.Ask(account, Asking(now), now).verdict.kind, Verdict::Kind::kQueued);
  guard.Configure({Api("a", "pool"), Api("b", "pool-b")}, now);
  EXPECT_TRUE(rim.delivered[0].empty());
  EXPECT_EQ(guard.View(now).at(0).view.waiting, 1U);
}

TEST_F(GuardTest, AShadowDecidesAndChangesNothing) {
  guard.Configure({Api("a", "pool", Mode::kShadow)}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  const Turn turn = guard.Ask(account, Asking(now), now);
  EXPECT_EQ(turn.verdict.kind, Verdict::Kind::kAdmit);
  ASSERT_TRUE(turn.shadow);
  EXPECT_EQ(turn.shadow->kind, Verdict::Kind::kQueued);
}

TEST_F(GuardTest, TwoSettingsAreJudgedOnTheSameTraffic) {
  GuardedApi api = Api("a", "pool");
  auto shadow = std::make_shared<Options>();
  shadow->mode = Mode::kOn;
  shadow->queue.max_wait = seconds(1);
  api.options.pace.mode = Mode::kOff;
  api.options.shadow = shadow;
  guard.Configure({api}, now);
  const auto account = guard.AccountFor("a", "key", now);
  UseUp(account);
  const Turn turn = guard.Ask(account, Asking(now), now);
  EXPECT_EQ(turn.verdict.kind, Verdict::Kind::kAdmit) << "the one in force does not pace";
  ASSERT_TRUE(turn.shadow);
  EXPECT_NE(turn.shadow->kind, Verdict::Kind::kAdmit);
}

TEST_F(GuardTest, WhatAShadowHoldsIsSeenBesideWhatIsInForce) {
  guard.Configure({Api("a", "pool"), Api("b", "other", Mode::kShadow)}, now);
  UseUp(guard.AccountFor("a", "key", now));
  const auto account = guard.AccountFor("b", "key", now);
  UseUp(account);
  const Turn turn = guard.Ask(account, Asking(now), now);
  const std::vector<AccountView> views = guard.View(now);
  EXPECT_FALSE(views.at(0).shadow) << "it has none";
  const AccountView& view = views.at(1);
  ASSERT_TRUE(view.shadow);
  EXPECT_TRUE(view.view.limits.empty());
  EXPECT_FALSE(view.view.last) << "nothing is decided there";
  ASSERT_EQ(view.shadow->limits.size(), 1u);
  EXPECT_EQ(view.shadow->limits[0].limit, 5);
  EXPECT_EQ(view.shadow->in_flight, 1u);
  EXPECT_EQ(view.shadow->last->kind, Verdict::Kind::kQueued);
}

TEST_F(GuardTest, AnApiIsToldOfTheKeysThatItsPoolShares) {
  guard.Configure({Api("a", "pool"), Api("b", "pool"), Api("c", "other")}, now);
  UseUp(guard.AccountFor("a", "key", now));
  UseUp(guard.AccountFor("c", "key", now));
  const std::vector<AccountView> views = guard.ViewOf("b", now);
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].api, "b");
  EXPECT_TRUE(views[0].view.last);
  EXPECT_TRUE(guard.ViewOf("nobody", now).empty());
}

}  // namespace
}  // namespace apiquota::guard
