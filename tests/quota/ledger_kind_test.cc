// What is learned of a quota's kind from its answers (docs/quota-semantics.md rule 1).
#include <gtest/gtest.h>

#include "tests/quota/ledger_kit.h"

namespace apiquota::quota {
namespace {

using provider::QuotaKind;

Words Moving(double t, double remaining, bool assumed) {
  return {.limit = 10, .remaining = remaining, .reset = t + 60, .assumed = assumed};
}

TEST(KindTest, AnEndThatMovesOnWithEachAnswerIsASlidingWindow) {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.Say(i * 3, Moving(i * 3, 9 - i, true));
  EXPECT_EQ(bench.View(10).kind, QuotaKind::kSliding);
  bench.Say(60.5, Moving(60.5, 7, true));  // some came back
  EXPECT_EQ(bench.View(61).remaining, 7);
  EXPECT_EQ(bench.View(61).windows_exhausted_total, 0);
}

TEST(KindTest, AnEndThatMovesALittleWithEachOfManyAnswersDoesToo) {
  Bench bench;
  for (int i = 0; i < 20; ++i) bench.Say(i * 0.5, Moving(i * 0.5, 9, true));
  EXPECT_EQ(bench.View(10).kind, QuotaKind::kSliding);
}

TEST(KindTest, AWindowThatRollsOverWithinASecondOfItsEndIsNoMove) {
  Bench bench;
  for (int window = 0; window < 4; ++window) {
    const double end = (window + 1) * 8.0;
    bench.Say(end - 7.8,
              {.limit = 9, .remaining = 8, .reset = end + 0.2, .absolute = false, .assumed = true});
    bench.Say(end - 4.5,
              {.limit = 9, .remaining = 7, .reset = end + 0.5, .absolute = false, .assumed = true});
  }
  EXPECT_EQ(bench.View(28).kind, QuotaKind::kFixed);
}

TEST(KindTest, AnEndThatStaysIsAFixedWindowAgain) {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.Say(i * 3, Moving(i * 3, 9 - i, true));
  ASSERT_EQ(bench.View(10).kind, QuotaKind::kSliding);
  const auto stays = [&](int i, double left) {
    bench.Say(i * 3, {.limit = 10, .remaining = left, .reset = 69, .assumed = true});
  };
  for (int i = 4; i < 8; ++i) stays(i, 6);
  EXPECT_EQ(bench.View(25).kind, QuotaKind::kSliding) << "nothing was taken, so nothing moved";
  for (int i = 8; i < 11; ++i) stays(i, 13 - i);
  EXPECT_EQ(bench.View(31).kind, QuotaKind::kFixed);
  EXPECT_EQ(bench.View(31).consumed_total, 6) << "9 to 3, each unit once";
  EXPECT_EQ(bench.View(31).reset_at, At(69));
}

TEST(KindTest, WhatWasLearnedOutlivesARestartButNotADocumentedKind) {
  Bench before;
  for (int i = 0; i < 4; ++i) before.Say(i * 3, Moving(i * 3, 9 - i, true));
  Bench after;
  ASSERT_TRUE(after.ledger.Restore(before.ledger.Save(At(10)), At(11)));
  EXPECT_EQ(after.View(11).kind, QuotaKind::kSliding);
  after.Say(12, Moving(12, 8, true));
  EXPECT_EQ(after.View(12).remaining, 8);
  after.Say(17, Moving(12, 8, true));
  EXPECT_EQ(after.View(17).kind, QuotaKind::kSliding);
  after.Say(18, Moving(12, 7, false));
  EXPECT_EQ(after.View(18).kind, QuotaKind::kFixed) << "the operator says so";
}

TEST(KindTest, ADocumentedKindIsBelieved) {
  Bench bench;
  for (int i = 0; i < 6; ++i) bench.Say(i * 3, Moving(i * 3, 9 - i, false));
  EXPECT_EQ(bench.View(16).kind, QuotaKind::kFixed);
}

}  // namespace
}  // namespace apiquota::quota
