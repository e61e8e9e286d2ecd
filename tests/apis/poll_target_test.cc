#include "apis/poll_target.h"

#include <gtest/gtest.h>

namespace apiquota::apis {
namespace {

TEST(PollTargetTest, APathIsUnderTheBaseUnlessItLeavesSteps) {
  EXPECT_EQ(Joined("/api/v3", "/rate_limit"), "/api/v3/rate_limit");
  EXPECT_EQ(Joined("", "/rate_limit"), "/rate_limit");
  EXPECT_EQ(Joined("/backend-api/codex", "/../wham/usage"), "/backend-api/wham/usage");
  EXPECT_EQ(Joined("/a/b", "/../../c"), "/c");
  EXPECT_EQ(Joined("/a", "/../../c"), "/c") << "never above the root";
  EXPECT_EQ(Joined("", "/../c"), "/c");
}

}  // namespace
}  // namespace apiquota::apis
