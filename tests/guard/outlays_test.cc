#include "guard/outlays.h"

#include <gtest/gtest.h>

#include "tests/guard/start.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SystemTime kNever{};

SystemTime At(int milliseconds_later) { return kStart + milliseconds(milliseconds_later); }

TEST(OutlaysTest, AReadingShowsWhatWasAnsweredBeforeItsRequestAndNothingElse) {
  Outlays outlays;
  outlays.Take(1, 10, kNever);
  outlays.Take(2, 20, kNever);
  outlays.Answered(1, At(100));
  outlays.Settle(1, 10, At(100), At(100));
  EXPECT_EQ(outlays.hidden(), 30);
  EXPECT_EQ(outlays.ShownBefore(At(99)), 0U) << "it had not been answered";
  EXPECT_EQ(outlays.ShownBefore(At(100)), 1U);
  EXPECT_EQ(outlays.hidden(), 20) << "the other is under way";
  EXPECT_EQ(outlays.reserved(), 20);
  outlays.Shown(2);
  EXPECT_EQ(outlays.hidden(), 0);
  EXPECT_EQ(outlays.reserved(), 20) << "shown, and not settled";
  outlays.Settle(2, 20, At(300), At(300));
  EXPECT_EQ(outlays.reserved(), 0);
  EXPECT_FALSE(outlays.in_flight());
}

TEST(OutlaysTest, WhatCostMoreThanAReadingKnewIsDebtUntilALaterOne) {
  Outlays outlays;
  outlays.Take(1, 10, kNever);
  outlays.Answered(1, At(10));
  outlays.Shown(1);
  outlays.Settle(1, 25, At(500), At(500));
  EXPECT_EQ(outlays.hidden(), 15);
  EXPECT_EQ(outlays.reserved(), 0);
  outlays.ShownBefore(At(499));
  EXPECT_EQ(outlays.hidden(), 15);
  outlays.ShownBefore(At(500));
  EXPECT_EQ(outlays.hidden(), 0);
}

TEST(OutlaysTest, WhatIsSettledAfterItsAnswerIsShownByRequestsSentAfterThat) {
  Outlays outlays;
  outlays.Take(1, 10, kNever);
  outlays.Answered(1, At(10));
  outlays.Settle(1, 4, At(500), At(500));
  EXPECT_EQ(outlays.hidden(), 4);
  EXPECT_EQ(outlays.ShownBefore(At(100)), 0U);
  EXPECT_EQ(outlays.ShownBefore(At(500)), 1U);
  EXPECT_EQ(outlays.hidden(), 0);
}

TEST(OutlaysTest, WhatIsUnderWayAtAResetIsOfTheNewWindow) {
  Outlays outlays;
  for (Id id = 1; id <= 3; ++id) outlays.Take(id, 1, kNever);
  outlays.Settle(1, 1, At(999), At(999));
  outlays.Settle(2, 1, At(1000), At(1000));
  outlays.NextWindow(At(1000));
  EXPECT_EQ(outlays.hidden(), 2);
}

TEST(OutlaysTest, WhatTheApiMayCountYetIsUnderWay) {
  Outlays outlays;
  outlays.Take(1, 10, kNever);
  outlays.Take(2, 5, kNever);
  outlays.Settle(1, 10, At(100), At(2100));
  outlays.Settle(2, 5, At(200), At(200));
  EXPECT_EQ(outlays.reserved(), 0);
  EXPECT_EQ(outlays.hidden_settled(), 5);
  EXPECT_EQ(outlays.ShownBefore(At(2000)), 1U) << "the one that was settled later stands behind the other";
  EXPECT_EQ(outlays.hidden(), 10);
  EXPECT_FALSE(outlays.SettledLater(At(2099)));
  outlays.CountSettled(At(2100));
  EXPECT_EQ(outlays.hidden_settled(), 10);
  EXPECT_EQ(outlays.hidden(), 10);
  outlays.ShownBefore(At(2100));
  EXPECT_EQ(outlays.hidden(), 0);
}

TEST(OutlaysTest, WhatWasNeverSentComesBackWhole) {
  Outlays outlays;
  outlays.Take(1, 7, kNever);
  outlays.GiveBack(1);
  outlays.GiveBack(1);
  outlays.Settle(1, 9, kStart, kStart);
  EXPECT_EQ(outlays.hidden(), 0);
  EXPECT_EQ(outlays.reserved(), 0);
  EXPECT_FALSE(outlays.in_flight());
}

// An API that does not speak of a quota any more must not make it cost memory, nor let what it hid be lost.
TEST(OutlaysTest, WhatNoReadingShowsForLongIsKeptAsASum) {
  Outlays outlays;
  outlays.Take(1'000'000, 5, kNever);  // a stream that stays
  outlays.Answered(1'000'000, At(0));
  for (int i = 1; i <= 20'000; ++i) {
    const auto id = static_cast<Id>(i);
    outlays.Take(id, 1, kNever);
    outlays.Answered(id, At(i));
    outlays.Settle(id, 1, At(i), At(i));
  }
  EXPECT_EQ(outlays.hidden(), 20'005);
  outlays.NextWindow(At(18'000));
  EXPECT_LE(outlays.hidden(), 2'006 + 256) << "those answered since the reset, and not many more";
  EXPECT_GE(outlays.hidden(), 2'001);
  outlays.ShownBefore(At(20'000));
  EXPECT_EQ(outlays.hidden(), 0);
  EXPECT_EQ(outlays.reserved(), 5);
  outlays.Settle(1'000'000, 5, At(30'000), At(30'000));
  EXPECT_EQ(outlays.reserved(), 0);
}

}  // namespace
}  // namespace apiquota::guard
