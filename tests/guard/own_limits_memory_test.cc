// A million addresses: what they take, and who goes when there are more.
#include <gtest/gtest.h>

#include "tests/guard/own_limits_under_test.h"

namespace apiquota::guard {
namespace {

using Algorithm = LimitRule::Algorithm;

constexpr size_t kMany = 1'000'000;

std::string Address(size_t i) {
  return "10." + std::to_string(i >> 16 & 255) + "." + std::to_string(i >> 8 & 255) + "." +
         std::to_string(i & 255);
}

void AskFrom(OwnLimits& limits, size_t first, size_t end, SystemTime now) {
  for (size_t i = first; i < end; ++i) limits.Ask(From(Address(i)), now);
}

TEST(OwnLimitsMemoryTest, AMillionAddressesFitIntoWhatARuleMayTakeAndNobodyIsForgotten) {
  OwnLimits limits({Rule("default", 2, minutes(1))});
  AskFrom(limits, 0, kMany, kStart);
  const LimitMemory memory = limits.Memory()[0];
  EXPECT_EQ(memory.subjects, kMany);
  EXPECT_EQ(memory.evicted, 0U);
  EXPECT_LE(memory.bytes, OwnLimits::kRuleBytesMax);
  for (const size_t i : {size_t{0}, kMany / 2, kMany - 1})
    EXPECT_EQ(AdmittedOf(limits, From(Address(i)), 5, kStart + seconds(30)), 1) << i;
}

TEST(OwnLimitsMemoryTest, WhoTookLongestAgoGoesFirstAndIsCounted) {
  constexpr size_t kBytes = 256 * 1024;
  OwnLimits limits({Rule("default", 2, minutes(1))}, {}, kBytes);
  AskFrom(limits, 0, 1000, kStart);
  limits.Ask(From(Address(0)), kStart + seconds(1));  // the first is now the last
  AskFrom(limits, 1000, 20'000, kStart + seconds(2));
  const LimitMemory memory = limits.Memory()[0];
  EXPECT_LE(memory.bytes, kBytes + kBytes / 8);
  EXPECT_GT(memory.subjects, 3000U);
  EXPECT_EQ(memory.subjects + memory.evicted, 20'000U);
  EXPECT_EQ(AdmittedOf(limits, From(Address(19'999)), 5, kStart + seconds(3)), 1)
      << "the newest is remembered";
  EXPECT_EQ(AdmittedOf(limits, From(Address(1)), 5, kStart + seconds(3)), 2) << "who took long ago is not";
}

TEST(OwnLimitsMemoryTest, ThoseWhoseWindowIsOverMakeRoomAndAreNotCounted) {
  constexpr size_t kBytes = 256 * 1024;
  OwnLimits limits({Rule("default", 2, seconds(1))}, {}, kBytes);
  for (int round = 0; round < 20; ++round)
    AskFrom(limits, static_cast<size_t>(round) * 1000, static_cast<size_t>(round + 1) * 1000,
            kStart + seconds(2 * round));
  const LimitMemory memory = limits.Memory()[0];
  EXPECT_EQ(memory.evicted, 0U);
  EXPECT_LE(memory.bytes, kBytes);
  EXPECT_LE(memory.subjects, 2100U) << "twice what is in use, at most";
}

TEST(OwnLimitsMemoryTest, ASlidingLimitHoldsAsManyAsFit) {
  constexpr size_t kBytes = 1024 * 1024;
  OwnLimits limits({Rule("default", 50, minutes(1), LimitRule::Algorithm::kSliding)}, {}, kBytes);
  for (int i = 0; i < 40; ++i) AskFrom(limits, 0, 2000, kStart + seconds(i));
  const LimitMemory memory = limits.Memory()[0];
  EXPECT_GT(memory.evicted, 0U);
  EXPECT_LE(memory.bytes, kBytes + kBytes / 8);
  EXPECT_GT(memory.subjects, 500U);
}

TEST(OwnLimitsMemoryTest, ManyComeAndGoAndEveryoneLeftIsFound) {
  OwnLimits limits({Rule("default", 1, seconds(10))}, {}, 512 * 1024);
  for (size_t i = 0; i < 60'000; ++i) {
    const SystemTime now = kStart + milliseconds(i);
    ASSERT_TRUE(Admits(limits, From(Address(i)), now)) << i;
    if (i < 2000) continue;
    ASSERT_FALSE(Admits(limits, From(Address(i - 2000)), now)) << i;
  }
}

TEST(OwnLimitsMemoryTest, ViewShowsTheMostUsedFirstByNameAndHeadersOnlyAsADigest) {
  LimitRule by_caller = Rule("callers", 10, minutes(1));
  by_caller.by = {{.kind = LimitSubject::Kind::kCaller}};
  LimitRule by_header = Rule("roles", 10, minutes(1), LimitRule::Algorithm::kSliding);
  by_header.by = {{.kind = LimitSubject::Kind::kHeader, .header = "x-role"}};
  OwnLimits limits({by_caller, Rule("addresses", 10, minutes(1)), by_header});
  http::Fields fields;
  fields.Add("X-Role", "hunter2");
  for (int i = 0; i < 5; ++i) {
    LimitedCall call = From(i < 2 ? "192.0.2.1" : "2001:db8:1:2::/64");
    call.caller = i < 1 ? "web" : "batch";
    call.fields = &fields;
    limits.Ask(call, kStart);
  }
  const auto rules = limits.View(kStart + seconds(10), 10);
  ASSERT_EQ(rules.size(), 3U);
  const auto& callers = rules[0].uses;
  ASSERT_EQ(callers.size(), 2U);
  EXPECT_EQ(callers[0].caller + callers[1].caller, "batchweb");
  EXPECT_EQ(callers[0].used, 4);
  EXPECT_EQ(callers[0].allowed, 10);
  EXPECT_EQ(callers[0].reset, kStart + minutes(1));
  EXPECT_EQ(callers[0].digest, "");
  ASSERT_EQ(rules[1].uses.size(), 2U);
  EXPECT_EQ(rules[1].uses[0].address + " " + rules[1].uses[1].address, "2001:db8:1:2::/64 192.0.2.1");
  ASSERT_EQ(rules[2].uses.size(), 1U);
  EXPECT_EQ(rules[2].rule.name, "roles");
  EXPECT_EQ(rules[2].uses[0].digest.size(), 16U);
  EXPECT_EQ(rules[2].uses[0].used, 5);
  for (const LimitRuleView& rule : limits.View(kStart, 1)) EXPECT_EQ(rule.uses.size(), 1U);
  for (const LimitRuleView& rule : limits.View(kStart + minutes(2), 10))
    EXPECT_TRUE(rule.uses.empty()) << "what is over is not in use";
}

TEST(OwnLimitsMemoryTest, RulesOfOneNameAreToldApartByTheirMatchAndPlace) {
  LimitRule predict = Rule("default", 5, minutes(1));
  predict.match.path = "/predict";
  OwnLimits limits({predict, Rule("other", 3, minutes(1)), Rule("default", 10, minutes(1))});
  limits.Ask(From("192.0.2.1", "/predict"), kStart);
  const auto rules = limits.View(kStart, 10);
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].rule, predict);
  EXPECT_EQ(rules[0].place, 1U);
  EXPECT_EQ(rules[0].uses.size(), 1U);
  EXPECT_EQ(rules[1].place, 1U);
  EXPECT_EQ(rules[2].rule.match, LimitMatch());
  EXPECT_EQ(rules[2].place, 2U);
  EXPECT_TRUE(rules[2].uses.empty());
}

TEST(OwnLimitsMemoryTest, WhatIsSavedIsHeldAgainstTheSameClientsAfterARestart) {
  for (const Algorithm algorithm : {Algorithm::kFixed, Algorithm::kSliding, Algorithm::kGcra}) {
    LimitRule rule = Rule("default", 3, minutes(1), algorithm);
    rule.burst = 3;
    LimitRule predict = rule;
    predict.match.path = "/predict";
    OwnLimits before({predict, rule}), after({rule, predict});
    AdmittedOf(before, From("192.0.2.1"), 2, kStart);
    before.Ask(From("192.0.2.1", "/predict"), kStart);
    after.Restore(before.Save(kStart + seconds(1)), kStart + seconds(1));
    EXPECT_EQ(StateOf(after, kStart).size(), StateOf(before, kStart).size());
    OwnLimits again({predict, rule});
    again.Restore(before.Save(kStart + seconds(1)), kStart + seconds(1));
    EXPECT_EQ(AdmittedOf(again, From("192.0.2.1"), 9, kStart + seconds(1)), 1) << static_cast<int>(algorithm);
    EXPECT_EQ(AdmittedOf(again, From("192.0.2.1", "/predict"), 9, kStart + seconds(1)), 2);
    EXPECT_EQ(AdmittedOf(again, From("192.0.2.2"), 9, kStart + seconds(1)), 3);
  }
}

TEST(OwnLimitsMemoryTest, WhatAClockThatWasAheadHasSavedHoldsNobodyForLongerThanAWindow) {
  for (const Algorithm algorithm : {Algorithm::kFixed, Algorithm::kSliding, Algorithm::kGcra}) {
    for (const uint64_t limit : {5, 100}) {
      LimitRule rule = Rule("default", limit, minutes(1), algorithm);
      rule.burst = limit;
      OwnLimits before({rule}), after({rule}), hostile({rule});
      const int all = static_cast<int>(limit);
      EXPECT_EQ(AdmittedOf(before, From("192.0.2.1"), all, kStart + std::chrono::hours(24)), all);
      SavedOwnLimits saved = before.Save(kStart + std::chrono::hours(24));
      after.Restore(saved, kStart);
      EXPECT_FALSE(Admits(after, From("192.0.2.1"), kStart)) << "nobody is given anything back";
      EXPECT_EQ(AdmittedOf(after, From("192.0.2.1"), all, kStart + seconds(61)), all);
      Move(std::chrono::years(7900), &saved);
      hostile.Restore(saved, kStart);
      EXPECT_EQ(AdmittedOf(hostile, From("192.0.2.1"), all, kStart + seconds(61)), all);
    }
  }
}

TEST(OwnLimitsMemoryTest, OneWhoStandsTwiceInWhatWasSavedTakesTheRoomOfOne) {
  const LimitRule rule = Rule("default", 5, minutes(1), Algorithm::kSliding);
  OwnLimits before({rule}), once({rule}), twice({rule});
  EXPECT_EQ(AdmittedOf(before, From("192.0.2.1"), 3, kStart), 3);
  SavedOwnLimits saved = before.Save(kStart);
  once.Restore(saved, kStart);
  saved.limits.at(0).uses.push_back(saved.limits.at(0).uses.at(0));
  twice.Restore(saved, kStart);
  EXPECT_EQ(twice.Memory().at(0).bytes, once.Memory().at(0).bytes);
}

}  // namespace
}  // namespace apiquota::guard
