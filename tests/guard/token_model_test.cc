#include "guard/token_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <random>
#include <vector>

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;

TEST(TokenModelsTest, NothingIsMadeUpBeforeAnAnswerHasCome) {
  const TokenModels models;
  EXPECT_EQ(models.Of("gpt-4o").tokens_per_byte, 0.25);
  EXPECT_EQ(models.Of("gpt-4o").output, std::nullopt);
  EXPECT_EQ(models.Of("gpt-4o").median_first_byte, std::nullopt);
}

TEST(TokenModelsTest, OneModelsAnswersSayNothingAboutAnother) {
  TokenModels models;
  models.Used("a", 1000, {.input = 500, .output = 70});
  models.FirstByte("a", milliseconds(300));
  EXPECT_EQ(models.Of("a").tokens_per_byte, 0.5);
  EXPECT_EQ(models.Of("a").output, 70);
  EXPECT_EQ(models.Of("a").median_first_byte, milliseconds(300));
  EXPECT_EQ(models.Of("b").tokens_per_byte, 0.25);
  EXPECT_EQ(models.Of("b").output, std::nullopt);
}

TEST(TokenModelsTest, AChangeIsFollowedWithinAFewAnswers) {
  TokenModels models;
  models.Used("a", 1000, {.input = 200});
  for (int i = 0; i < 24; ++i) models.Used("a", 1000, {.input = 400});
  EXPECT_NEAR(models.Of("a").tokens_per_byte, 0.4, 0.01);
}

TEST(TokenModelsTest, ManyShortRequestsDoNotHideWhatALongOneCosts) {
  TokenModels models;
  models.Used("a", 400'000, {.input = 100'000});
  for (int i = 0; i < 8; ++i) models.Used("a", 100, {.input = 8});
  EXPECT_GT(models.Of("a").tokens_per_byte, 0.24);
}

TEST(TokenModelsTest, WhatIsNoNumberTeachesNothing) {
  TokenModels models;
  models.Used("a", 1000, {.input = 300, .output = 10});
  for (const double nonsense : {std::nan(""), -1.0, HUGE_VAL}) {
    models.Used("a", 1000, {.input = nonsense, .output = nonsense});
  }
  models.Used("a", 0, {.input = 300, .output = 10});
  models.Used("a", 1000, {.input = 0, .output = 10});
  models.FirstByte("a", milliseconds(-1));
  EXPECT_EQ(models.Of("a").tokens_per_byte, 0.3);
  EXPECT_EQ(models.Of("a").output, 10);
  EXPECT_EQ(models.Of("a").median_first_byte, std::nullopt);
}

TEST(TokenModelsTest, OneLongAnswerIsNotWhatAllOthersReserve) {
  TokenModels models;
  for (int i = 0; i < 19; ++i) models.Used("a", 1, {.input = 1, .output = 100});
  models.Used("a", 1, {.input = 1, .output = 50'000});
  EXPECT_EQ(models.Of("a").output, 100);
}

TEST(TokenModelsTest, EndlessNamesDoNotFillTheMemoryOrPushOutAModelInUse) {
  TokenModels models;
  for (int i = 0; i < 1000; ++i) {
    models.Used("model-" + std::to_string(i), 10, {.input = 10});
    models.Used("used", 10, {.input = 10});
  }
  EXPECT_EQ(models.Of("model-0").tokens_per_byte, 0.25);
  EXPECT_EQ(models.Of("model-999").tokens_per_byte, 1);
  EXPECT_EQ(models.Of("used").tokens_per_byte, 1);
}

TEST(RecentQuantileTest, NoValueCountsOnceItHasLeft) {
  std::mt19937_64 random(3);
  RecentQuantile<int, 31> quantile;
  std::deque<int> last;
  for (int i = 0; i < 3000; ++i) {
    const auto value = static_cast<int>(random() % 40);
    quantile.Add(value);
    last.push_back(value);
    if (last.size() > 31) last.pop_front();
    std::vector<int> sorted(last.begin(), last.end());
    std::ranges::sort(sorted);
    for (const size_t percent : {50U, 90U, 100U}) {
      const size_t rank = (sorted.size() * percent + 99) / 100;
      ASSERT_EQ(quantile.At(percent), sorted[rank - 1]);
    }
  }
}

}  // namespace
}  // namespace apiquota::guard
