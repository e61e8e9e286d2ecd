#include "app/guard_page.h"

#include <gtest/gtest.h>

#include "base/known_names.h"

namespace apiquota::app {
namespace {

expose::GuardFacts Facts(size_t keys) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  std::vector<guard::AccountView> accounts;
  for (size_t i = 0; i < keys; ++i) {
    guard::KeyView view;
    view.waiting = 1;
    view.limits.resize(9);
    accounts.push_back({"a", "key-" + std::to_string(100 + i), view});
  }
  return expose::MakeGuardFacts({{"a", on}}, std::move(accounts), {}, {});
}

TEST(BorrowedSeriesTest, WhatFitsIsShownWholeAndGivenBack) {
  metrics::Registry registry(1000);
  expose::GuardFacts facts = Facts(5);
  {
    const BorrowedSeries borrowed(registry, &facts);
    EXPECT_EQ(registry.shares().taken(), expose::kSeriesOfQueue + 5 * 10);
    EXPECT_EQ(facts.accounts.size(), 5u);
  }
  EXPECT_EQ(registry.shares().taken(), 0u);
}

TEST(BorrowedSeriesTest, KeysBeyondTheShareAreLeftOutAndTheQueueStaysTrue) {
  metrics::Registry registry(1000);
  expose::GuardFacts facts = Facts(150);
  const BorrowedSeries borrowed(registry, &facts);
  EXPECT_LE(registry.shares().taken(), 1000u);
  EXPECT_EQ(facts.accounts.size(), 99u);
  ASSERT_TRUE(facts.apis[0].queue);
  EXPECT_EQ(facts.apis[0].queue->depth, 150u);
}

TEST(BorrowedSeriesTest, WhatACallerUsedWhoIsGoneIsNoSeries) {
  metrics::Registry registry(1000);
  registry.Configure(
      std::make_shared<const KnownNames>(std::vector<ApiNames>{{"a", {"ci"}, {"nightly"}, false}}), 0);
  expose::GuardFacts facts = Facts(0);
  guard::ApiView view{.api = "a", .breaker = std::nullopt, .limits = {}};
  auto& uses = view.limits.emplace_back().uses;
  uses.resize(4);
  uses[0].caller = "nightly";
  uses[1].caller = "gone";
  uses[2].key = "ci";
  uses[3].key = "old";
  expose::AddApiViews({view}, {}, &facts);
  const BorrowedSeries borrowed(registry, &facts);
  const auto& left = facts.apis[0].whole.limits.at(0).uses;
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].caller, "nightly");
  EXPECT_EQ(left[1].key, "ci");
}

TEST(BorrowedSeriesTest, LimitsWithoutRoomAreLeftOutAndTheBreakerStays) {
  metrics::Registry registry(100);
  expose::GuardFacts facts = Facts(1);
  guard::ApiView view{.api = "a", .breaker = guard::BreakerView{}, .limits = {}};
  view.limits.emplace_back().uses.resize(150);
  expose::AddApiViews({view}, {}, &facts);
  const BorrowedSeries borrowed(registry, &facts);
  EXPECT_TRUE(facts.apis[0].whole.breaker);
  EXPECT_TRUE(facts.apis[0].whole.limits.empty());
  EXPECT_EQ(facts.accounts.size(), 1u);
}

}  // namespace
}  // namespace apiquota::app
