// Identical requests that are under way at once: one asks, the others wait, nobody is stranded.
#include <gtest/gtest.h>

#include "tests/cache/api_cache_under_test.h"

namespace apiquota::cache {
namespace {

using Kind = Outcome::Kind;

Lead Join(CacheUnderTest* test, uint64_t id, const Asked& asked = {}, SystemTime now = kNow,
          bool* is_alone = nullptr) {
  bool alone = false;
  Lead lead = test->cache->Join(*asked, {.home = 1, .id = id}, &alone, now);
  if (is_alone != nullptr) *is_alone = alone;
  EXPECT_FALSE(lead && alone);
  return lead;
}
bool IsAlone(CacheUnderTest* test, const Asked& asked, SystemTime now = kNow) {
  bool alone = false;
  Join(test, 999, asked, now, &alone);
  return alone;
}

TEST(CoalescingTest, TheFirstLeadsAndTheOthersHaveItsAnswer) {
  CacheUnderTest test;
  Lead lead = Join(&test, 1);
  ASSERT_TRUE(lead);
  EXPECT_FALSE(lead.Followed());
  EXPECT_FALSE(Join(&test, 2));
  EXPECT_FALSE(Join(&test, 3));
  EXPECT_TRUE(lead.Followed());
  EXPECT_EQ(test.cache->View().followers, 2);
  const AnswerPtr answer = Kept({}, HeadOf(200, {}));
  lead.Share(answer);
  EXPECT_FALSE(lead);
  const auto told = test.rim.Take();
  ASSERT_EQ(told.size(), 2);
  EXPECT_EQ(told[0].follower, (Follower{1, 2}));
  EXPECT_EQ(told[1].follower, (Follower{1, 3}));
  for (const Told& one : told) EXPECT_TRUE(one.outcome.kind == Kind::kAnswer && one.outcome.answer == answer);
  EXPECT_EQ(test.cache->View().groups, 0);
  EXPECT_TRUE(Join(&test, 4));
}

TEST(CoalescingTest, WhenALeaderFailsExactlyOneFollowerLeadsAndTheOthersWaitForIt) {
  CacheUnderTest test;
  Lead lead = Join(&test, 1);
  Join(&test, 2);
  Join(&test, 3);
  lead.Fail();
  auto told = test.rim.Take();
  ASSERT_EQ(told.size(), 1);
  EXPECT_EQ(told[0].follower.id, 2);
  EXPECT_EQ(told[0].outcome.kind, Kind::kLead);
  EXPECT_TRUE(told[0].outcome.lead.Followed());
  EXPECT_FALSE(Join(&test, 4));  // the group is the same
  told[0].outcome.lead.Share(Kept({}, HeadOf(200, {})));
  EXPECT_EQ(test.rim.Take().size(), 2);
}

TEST(CoalescingTest, ALeadThatGoesWithoutAWordHasFailed) {
  CacheUnderTest test;
  {
    Lead lead = Join(&test, 1);
    Join(&test, 2);
    Join(&test, 3);
    Lead elsewhere = std::move(lead);
    lead = {};  // moved from: says nothing
    EXPECT_TRUE(test.rim.Take().empty());
  }
  auto told = test.rim.Take();
  ASSERT_EQ(told.size(), 1);
  EXPECT_EQ(told[0].outcome.kind, Kind::kLead);
  // An outcome that reaches nobody gives up, too.
  told.clear();
  EXPECT_EQ(test.rim.Take().at(0).follower.id, 3);
  EXPECT_EQ(test.cache->View().groups, 0);
}

TEST(CoalescingTest, ALeaderThatFailsWithoutFollowersLeavesNothing) {
  CacheUnderTest test;
  Join(&test, 1).Fail();
  EXPECT_EQ(test.cache->View().groups, 0);
  EXPECT_TRUE(test.rim.Take().empty());
  EXPECT_TRUE(Join(&test, 2));
}

TEST(CoalescingTest, WhoLeavesIsNotTold) {
  CacheUnderTest test;
  Lead lead = Join(&test, 1);
  Join(&test, 2);
  Join(&test, 3);
  test.cache->Leave({1, 2});
  test.cache->Leave({1, 2});
  test.cache->Leave({2, 3});
  lead.Fail();
  EXPECT_EQ(test.rim.Take().at(0).follower.id, 3);
  test.cache->Leave({1, 3});  // told already
  EXPECT_EQ(test.cache->View().followers, 0);
}

TEST(CoalescingTest, WhatCantBeSharedIsAskedForByEachAloneForAWhile) {
  CacheUnderTest test;
  Lead lead = Join(&test, 1);
  Join(&test, 2);
  lead.Scatter(kNow);
  EXPECT_EQ(test.rim.Take().at(0).outcome.kind, Kind::kAlone);
  EXPECT_TRUE(IsAlone(&test, {}));
  EXPECT_TRUE(IsAlone(&test, {}, kNow + seconds(30) - milliseconds(1)));
  EXPECT_FALSE(IsAlone(&test, {{"Accept", "b"}}));
  EXPECT_FALSE(IsAlone(&test, {}, kNow + seconds(30)));
}

TEST(CoalescingTest, TenThousandIdentitiesAreRememberedAsAloneAndNoMore) {
  Groups groups;
  const auto identity = [](uint64_t i) { return Digest{i, i}; };
  for (uint64_t i = 0; i < 25'000; ++i) {
    groups.Scatter(groups.Join(identity(i % 12'000), {}, {}, kNow).turn, kNow);
  }
  EXPECT_LE(groups.alone(), kAloneMax);
  EXPECT_EQ(groups.Join(identity(11'999), {}, {}, kNow).kind, Groups::Place::Kind::kAlone);
  groups.Join(identity(1), {}, {}, kNow + kAloneFor);
  EXPECT_EQ(groups.alone(), 0);
}

TEST(CoalescingTest, WhatTurnsOutAgainNotToBeSharedIsAloneFromThenOn) {
  Groups groups;
  const Turn first = groups.Join({}, {}, {}, kNow).turn;
  groups.CloseAll();
  const Turn second = groups.Join({}, {}, {}, kNow).turn;
  groups.Scatter(first, kNow);
  groups.Scatter(second, kNow + seconds(20));
  EXPECT_EQ(groups.Join({}, {}, {}, kNow + seconds(40)).kind, Groups::Place::Kind::kAlone);
  EXPECT_EQ(groups.Join({}, {}, {}, kNow + seconds(50)).kind, Groups::Place::Kind::kLeads);
}

TEST(CoalescingTest, WhoJoinsTwiceWaitsOnce) {
  Groups groups;
  const Turn turn = groups.Join({}, {}, {1, 1}, kNow).turn;
  groups.Join({}, {}, {1, 2}, kNow);
  groups.Join({}, {}, {1, 2}, kNow);
  EXPECT_EQ(groups.End(turn).size(), 1);
  EXPECT_EQ(groups.followers(), 0);
}

TEST(CoalescingTest, OnlyWhoWouldTakeAnothersAnswerFollows) {
  CacheUnderTest test;
  for (const Asked& asked : {Asked("HEAD", "/v1/x"), Asked("POST", "/v1/x"), Asked("PUT", "/v1/x"),
                             Asked({{"Cache-Control", "no-cache"}}), Asked({{"Cache-Control", "no-store"}}),
                             Asked({{"Cache-Control", "max-age=0"}}), Asked({{"Pragma", "no-cache"}}),
                             Asked({{"Range", "bytes=0-1"}})}) {
    EXPECT_TRUE(IsAlone(&test, asked));
  }
  EXPECT_FALSE(IsAlone(&test, Posted("{}")));
  EXPECT_FALSE(IsAlone(&test, {{"Cache-Control", "max-age=5"}}));
}

TEST(CoalescingTest, WhoAsksAfterAChangeHasNoAnswerFromBeforeIt) {
  CacheUnderTest test;
  Lead before = Join(&test, 1);
  Join(&test, 2);
  test.Invalidate(Asked("PATCH", "/v1/x"));
  Lead after = Join(&test, 3);
  EXPECT_TRUE(after);
  EXPECT_FALSE(Join(&test, 4));
  before.Share(Kept({}, HeadOf(200, {})));
  EXPECT_EQ(test.rim.Take().at(0).follower.id, 2);
  EXPECT_TRUE(after.Followed());
  test.cache->Clear(kNow);
  EXPECT_TRUE(Join(&test, 5));
  after.Fail();
  EXPECT_EQ(test.rim.Take().at(0).follower.id, 4);
}

TEST(CoalescingTest, ALeaderThatWasFollowedByAnotherCanSayNothingMore) {
  Groups groups;
  const Turn first = groups.Join({}, {}, {1, 1}, kNow).turn;
  groups.Join({}, {}, {1, 2}, kNow);
  groups.Join({}, {}, {1, 3}, kNow);
  const auto next = groups.Fail(first);
  EXPECT_FALSE(groups.Followed(first));
  EXPECT_TRUE(groups.End(first).empty());
  EXPECT_FALSE(groups.Fail(first));
  EXPECT_EQ(groups.End(next->second), std::vector{(Follower{1, 3})});
}

}  // namespace
}  // namespace apiquota::cache
