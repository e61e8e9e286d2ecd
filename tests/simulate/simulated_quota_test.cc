#include "simulate/simulated_quota.h"

#include <gtest/gtest.h>

namespace apiquota::simulate {
namespace {

using provider::QuotaKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SystemTime kStart{seconds(1'800'000'000)};

TEST(SimulatedQuotaTest, FixedWindowOpensWithTheFirstCostAndEndsAtAWholeSecond) {
  SimulatedQuota quota(QuotaKind::kFixed, 10, seconds(60));
  EXPECT_EQ(quota.Remaining(kStart), 10);
  EXPECT_EQ(quota.ResetAt(kStart + milliseconds(500)), kStart + seconds(61));
  quota.Take(3, kStart + milliseconds(500));
  EXPECT_EQ(quota.Remaining(kStart + seconds(60)), 7);
  EXPECT_EQ(quota.ResetAt(kStart + seconds(60)), kStart + seconds(61));
}

TEST(SimulatedQuotaTest, FixedWindowGivesEverythingBackAtItsEnd) {
  SimulatedQuota quota(QuotaKind::kFixed, 2, seconds(60));
  quota.Take(1, kStart);
  quota.Take(1, kStart + seconds(10));
  EXPECT_EQ(quota.WaitFor(1, kStart + seconds(15)), seconds(45));
  EXPECT_EQ(quota.WaitFor(1, kStart + seconds(60)), seconds(0));
  EXPECT_EQ(quota.Remaining(kStart + seconds(60)), 2);
  quota.Take(1, kStart + seconds(90));
  EXPECT_EQ(quota.ResetAt(kStart + seconds(90)), kStart + seconds(150));
}

TEST(SimulatedQuotaTest, BucketFillsContinuouslyAndItsResetSaysWhenItIsFull) {
  SimulatedQuota quota(QuotaKind::kBucket, 60, seconds(60));
  quota.Take(30, kStart);
  EXPECT_EQ(quota.Remaining(kStart), 30);
  EXPECT_EQ(quota.ResetAt(kStart), kStart + seconds(30));
  EXPECT_EQ(quota.Remaining(kStart + seconds(10)), 40);
  EXPECT_EQ(quota.ResetAt(kStart + seconds(10)), kStart + seconds(30));
  EXPECT_EQ(quota.Remaining(kStart + seconds(300)), 60);
}

TEST(SimulatedQuotaTest, AfterTheTruthfulWaitABucketHasEnough) {
  SimulatedQuota quota(QuotaKind::kBucket, 7, seconds(60));
  quota.Take(7, kStart);
  const Micros wait = quota.WaitFor(1, kStart);
  EXPECT_GT(quota.WaitFor(1, kStart + wait - milliseconds(1)), seconds(0));
  EXPECT_EQ(quota.WaitFor(1, kStart + wait), seconds(0));
}

TEST(SimulatedQuotaTest, MoreThanTheLimitWaitsForTheReset) {
  SimulatedQuota quota(QuotaKind::kBucket, 10, seconds(10));
  quota.Take(4, kStart);
  EXPECT_EQ(quota.WaitFor(11, kStart), seconds(4));
}

}  // namespace
}  // namespace apiquota::simulate
