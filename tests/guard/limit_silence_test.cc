// Fixed windows of an API that stops speaking of them: what is not known must not close it for ever.
#include "tests/guard/limit_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(LimitTest, AWindowInWhichNoAnswerSaysAnythingIsFollowedByAnother) {
  Make(Kind::kFixed);
  reading.limit = 3;
  reading.window_seconds = 60;
  reading.reset_at = kStart + seconds(60);
  Call(0);
  now = Earliest();
  for (int window = 0; window < 3; ++window) {
    const SystemTime first = now;
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(Goes()) << window << "/" << i;
      Call(std::nullopt);
      now += seconds(1);
    }
    EXPECT_FALSE(Goes()) << "it may have begun with the first of them";
    const SystemTime next = Earliest();
    EXPECT_GE(next, first + seconds(60));
    EXPECT_LE(next, first + seconds(65));
    now = next;
  }
}

TEST_F(LimitTest, AQuotaWithoutAResetThatWasUsedUpIsTriedAfterItsWindow) {
  Make(Kind::kFixed);
  reading.limit = 3;
  reading.window_seconds = 60;
  Call(0);
  EXPECT_FALSE(Goes());
  const SystemTime next = Earliest();
  EXPECT_GE(next, kStart + seconds(60));
  now = next;
  EXPECT_TRUE(Goes());
}

TEST_F(LimitTest, RequestsUnderWayAtTheEndOfASilentWindowCountInTheNext) {
  Make(Kind::kFixed);
  reading.limit = 3;
  reading.window_seconds = 60;
  reading.reset_at = kStart + seconds(60);
  Call(0);
  now = Earliest();
  Call(std::nullopt);
  Call(std::nullopt);
  Take();
  now = Earliest();
  EXPECT_EQ(limit->available(now), 2);
}

}  // namespace
}  // namespace apiquota::guard
