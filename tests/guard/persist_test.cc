// What of the guard survives a restart.
#include "guard/persist.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "guard/guard.h"
#include "quota/saved_text.h"
#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

using std::chrono::seconds;

class SilentRim final : public Rim {
 public:
  void Deliver(uint32_t, std::vector<Granted>) override {}
  void WakeBy(SystemTime) override {}
};

GuardedApi Api() {
  GuardedApi api;
  api.api = "a";
  api.pool = "pool";
  api.options.mode = Mode::kOn;
  api.declared = {{.quota = "requests", .limit = 3, .window = seconds(60)}};
  return api;
}

Request Asking(SystemTime now, Micros patience) { return {.flow = "a", .deadline = now + patience}; }

// One request, sent and answered; a throttle with its wait, if one is given.
Verdict::Kind Exchange(Guard* guard, std::optional<double> retry_after, SystemTime now) {
  const auto account = guard->AccountFor("a", "key", now);
  Turn turn = guard->Ask(account, Asking(now, seconds(1)), now);
  if (turn.verdict.kind != Verdict::Kind::kAdmit) return turn.verdict.kind;
  turn.ticket.Sent(now);
  const provider::Throttle throttle{provider::ThrottleScope::kPrimary, provider::ThrottleSignal::kStatus, ""};
  turn.ticket.Answered({.status = retry_after ? 429 : 200,
                        .received_at = now,
                        .date = {},
                        .resource = {},
                        .readings = {},
                        .throttle = retry_after ? &throttle : nullptr,
                        .retry_after_seconds = retry_after},
                       now);
  turn.ticket.Settle(std::nullopt, now);
  return Verdict::Kind::kAdmit;
}

class GuardPersistTest : public testing::Test {
 protected:
  GuardPersistTest() { guard.Configure({Api()}, kStart); }

  SilentRim rim;
  Guard guard{rim};
};

TEST_F(GuardPersistTest, ARestartDoesNotGiveADeclaredLimitBack) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Exchange(&guard, {}, kStart), Verdict::Kind::kAdmit);
  Guard after(rim);
  after.Configure({Api()}, kStart);
  ASSERT_TRUE(after.Restore(guard.Save(kStart + seconds(10)), kStart + seconds(20)));
  EXPECT_EQ(Exchange(&after, {}, kStart + seconds(20)), Verdict::Kind::kRefuse);
  EXPECT_EQ(Exchange(&after, {}, kStart + seconds(62)), Verdict::Kind::kAdmit);
}

TEST_F(GuardPersistTest, ARestartDoesNotEndACooldown) {
  EXPECT_EQ(Exchange(&guard, 120.0, kStart), Verdict::Kind::kAdmit);
  Guard after(rim);
  after.Configure({Api()}, kStart);
  ASSERT_TRUE(after.Restore(guard.Save(kStart + seconds(10)), kStart + seconds(20)));
  EXPECT_EQ(Exchange(&after, {}, kStart + seconds(20)), Verdict::Kind::kRefuse);
  EXPECT_EQ(Exchange(&after, {}, kStart + seconds(125)), Verdict::Kind::kAdmit);
}

TEST_F(GuardPersistTest, AStepOfTheSystemClockDoesNotMoveWhatIsKept) {
  EXPECT_EQ(Exchange(&guard, 120.0, kStart), Verdict::Kind::kAdmit);
  const std::string saved = guard.Save(kStart + seconds(10), seconds(3600));
  Guard after(rim);
  after.Configure({Api()}, kStart);
  ASSERT_TRUE(after.Restore(saved, kStart + seconds(3620)));
  EXPECT_EQ(Exchange(&after, {}, kStart + seconds(3620)), Verdict::Kind::kRefuse);
  EXPECT_EQ(Exchange(&after, {}, kStart + seconds(3725)), Verdict::Kind::kAdmit);
}

TEST_F(GuardPersistTest, WhatAClockThatWasAheadHasSavedHoldsNobodyForLongerThanItWould) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Exchange(&guard, {}, kStart), Verdict::Kind::kAdmit);
  Guard cooled(rim);
  cooled.Configure({Api()}, kStart);
  EXPECT_EQ(Exchange(&cooled, 120.0, kStart), Verdict::Kind::kAdmit);
  for (const Guard* saved : {&guard, &cooled}) {
    Guard after(rim);
    after.Configure({Api()}, kStart);
    ASSERT_TRUE(
        after.Restore(saved->Save(kStart + seconds(10), std::chrono::hours(24)), kStart + seconds(20)));
    const SystemTime over = kStart + seconds(saved == &guard ? 82 : 145);
    EXPECT_EQ(Exchange(&after, {}, kStart + seconds(20)), Verdict::Kind::kRefuse);
    EXPECT_EQ(Exchange(&after, {}, over), Verdict::Kind::kAdmit);
  }
}

TEST_F(GuardPersistTest, ADamagedTextChangesNothing) {
  EXPECT_EQ(Exchange(&guard, 120.0, kStart), Verdict::Kind::kAdmit);
  const std::string saved = guard.Save(kStart);
  for (size_t i = 0; i < saved.size(); i += 7) {
    std::string damaged = saved;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(ReadSaved(damaged)) << i;
    EXPECT_FALSE(ReadSaved(saved.substr(0, i))) << i;
  }
  EXPECT_EQ(ReadSaved(saved.substr(0, saved.size() - 9)).error().message,
            "the guard's saved figures are damaged");
  EXPECT_TRUE(ReadSaved(saved));
}

TEST_F(GuardPersistTest, ARestartGivesNobodyALimitOfTheOperatorsBack) {
  GuardedApi api = Api();
  LimitRule rule;
  rule.name = "default";
  rule.by = {{.kind = LimitSubject::Kind::kAddress}};
  rule.limit = 3;
  rule.window = seconds(60);
  LimitRule judged = rule;
  judged.name = "judged";
  judged.mode = Mode::kShadow;
  api.options.limits = {rule, judged};
  guard.Configure({api}, kStart);
  const LimitedCall call{.method = "GET", .path = "/", .caller = {}, .key = "key", .address = "192.0.2.1"};
  std::vector<ApiTurn> turns;
  for (int i = 0; i < 2; ++i) turns.push_back(guard.ApiFor("a")->Ask(call, kStart));
  const std::string saved = guard.Save(kStart + seconds(10), seconds(3600));
  EXPECT_EQ(saved.find("192.0.2.1"), std::string::npos);
  Guard after(rim);
  after.Configure({api}, kStart);
  ASSERT_TRUE(after.Restore(saved, kStart + seconds(20), seconds(3600)));
  const auto whole = after.ApiFor("a");
  EXPECT_EQ(whole->StandingsOf(call, kStart + seconds(20)).at(0).remaining, 1);
  EXPECT_EQ(whole->StandingsOf(call, kStart + seconds(20)).at(0).reset, seconds(40));
  for (int i = 0; i < 2; ++i) turns.push_back(whole->Ask(call, kStart + seconds(20)));
  EXPECT_FALSE(turns[2].refusal || turns[2].shadow);
  EXPECT_TRUE(turns[3].refusal && turns[3].shadow);
}

// A file of more than 64 MiB is not read.
TEST(PersistTest, SixteenLimitsWithAllThatIsSavedOfThemFitIntoAFile) {
  SavedOwnLimit limit{.name = "default", .rule = 1, .match = 2, .uses = {}};
  for (size_t i = 0; i < kSavedMost; ++i) {
    SavedUse use{.subject = ~i, .used = 0, .at = kStart, .sends = {}};
    for (size_t j = 0; j < kSavedSendsMost / kSavedMost; ++j) use.sends.emplace_back(kStart + seconds(j), 1);
    limit.uses.push_back(std::move(use));
  }
  const std::string text = WriteSaved(
      {.keys = {}, .apis = {{.api = "a", .limits = {.key = {}, .limits = {limit}}, .judged = {}}}});
  EXPECT_LT(text.size(), 64U * 1024 * 1024 / 16);
}

TEST(PersistTest, ATextOfAnAgentWithoutLimitsOfItsOwnIsRead) {
  const auto read = ReadSaved(quota::Framed(R"({"keys": []})"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, SavedGuard());
}

TEST(PersistTest, WhatCannotBeWhatALimitUsedIsRefused) {
  const auto with = [](std::string_view uses) {
    const std::string limits =
        R"({"key_first": "1", "key_second": "2", "limits": [{"name": "n", "rule": "3", )"
        R"("match": "4", "uses": [)" +
        std::string(uses) + "]}]}";
    const std::string none = R"({"key_first": "1", "key_second": "2", "limits": []})";
    return ReadSaved(quota::Framed(R"({"keys": [], "apis": [{"api": "a", "limits": )" + limits +
                                   R"(, "judged": )" + none + "}]}"));
  };
  ASSERT_TRUE(with(R"(["ab", 1, 1795359637000000, [[1795359637000000, 1], [1795359638000000, 2]]])"));
  for (const char* uses :
       {R"(["", 1, 1795359637000000, []])", R"(["xy", 1, 1795359637000000, []])",
        R"(["ab", -1, 1795359637000000, []])", R"(["ab", 1e300, 1795359637000000, []])",
        R"(["ab", 1, 1e300, []])", R"(["ab", 1, 1795359637000000])", R"(["ab", 1, 1795359637000000, [1]])",
        R"(["ab", 1, 1795359637000000, [[1795359638000000, 1], [1795359637000000, 2]]])", "7"})
    EXPECT_FALSE(with(uses)) << uses;
}

}  // namespace
}  // namespace apiquota::guard
