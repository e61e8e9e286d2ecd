#include "base/fair_shares.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace apiquota {
namespace {

size_t TakeAll(FairShares& shares, std::string_view holder) {
  size_t taken = 0;
  while (shares.Take(holder, 1)) ++taken;
  return taken;
}

TEST(FairSharesTest, WithoutHoldersWhoComesFirstTakesAll) {
  FairShares shares(10);
  EXPECT_EQ(TakeAll(shares, "a"), 10u);
  EXPECT_FALSE(shares.Take("b", 1));
}

TEST(FairSharesTest, AFloodOfOneHolderLeavesTheOthersTheirShares) {
  FairShares shares(100);
  shares.SetHolders({"a", "b"});
  EXPECT_EQ(TakeAll(shares, "a"), 75u) << "its own quarter and the common half";
  EXPECT_EQ(TakeAll(shares, "b"), 25u);
  EXPECT_EQ(shares.taken(), 100u);
}

TEST(FairSharesTest, AShareIsKeptHoweverLateItsHolderComes) {
  FairShares shares(100);
  shares.SetHolders({"a", "b", "c", "d", "e"});
  for (const char* holder : {"a", "b", "c", "d"}) TakeAll(shares, holder);
  EXPECT_EQ(TakeAll(shares, "e"), 10u);
  EXPECT_EQ(shares.taken(), 100u);
}

TEST(FairSharesTest, WhatIsTooMuchAtOnceTakesNothing) {
  FairShares shares(100);
  shares.SetHolders({"a", "b"});
  EXPECT_FALSE(shares.Take("a", 76));
  EXPECT_TRUE(shares.Take("a", 75));
  EXPECT_EQ(shares.taken(), 75u);
}

TEST(FairSharesTest, OfThoseWithoutANameTheFirstHaveShares) {
  FairShares shares(100);
  shares.SetHolders({}, 2);
  EXPECT_EQ(TakeAll(shares, "a"), 75u);
  EXPECT_EQ(TakeAll(shares, "b"), 25u);
  EXPECT_EQ(TakeAll(shares, "c"), 0u) << "the common half is gone";
}

TEST(FairSharesTest, WhatIsSetAsideIsForNobody) {
  FairShares shares(100);
  shares.SetHolders({"a"}, 0, 40);
  EXPECT_EQ(TakeAll(shares, "a"), 60u);
}

TEST(FairSharesTest, WhatComesBackCanBeTakenAgain) {
  FairShares shares(10);
  shares.SetHolders({"a"});
  EXPECT_TRUE(shares.Take("a", 10));
  shares.Return("a", 4);
  EXPECT_EQ(TakeAll(shares, "a"), 4u);
}

TEST(FairSharesTest, TakenAnywayItIsCountedAgainstAll) {
  FairShares shares(10);
  shares.SetHolders({"a", "b"});
  shares.TakeAnyway("a", 12);
  EXPECT_FALSE(shares.Take("a", 1));
  EXPECT_EQ(TakeAll(shares, "b"), 2u) << "the share that is kept for it";
  EXPECT_EQ(shares.taken(), 14u);
}

TEST(FairSharesTest, AHolderWhoIsGoneLeavesItsShare) {
  FairShares shares(100);
  shares.SetHolders({"a", "b"});
  EXPECT_TRUE(shares.Take("a", 50));
  shares.SetHolders({"b"});
  EXPECT_EQ(TakeAll(shares, "b"), 50u) << "what the other holds is still taken";
  shares.Return("a", 50);
  EXPECT_EQ(TakeAll(shares, "b"), 50u);
}

TEST(FairSharesTest, ThreadsTakeNoMoreThanThereIs) {
  FairShares shares(1000);
  shares.SetHolders({"a", "b"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back([&, t] { TakeAll(shares, t % 2 == 0 ? "a" : "b"); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shares.taken(), 1000u);
}

}  // namespace
}  // namespace apiquota
