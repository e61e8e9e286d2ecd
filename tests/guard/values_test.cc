#include "guard/values.h"

#include <gtest/gtest.h>

namespace apiquota::guard {
namespace {

TEST(GuardValues, AColdKeysWaitIsToldAsPacing) {
  EXPECT_EQ(ToText(Reason::kCold), "pace");
  EXPECT_EQ(ToText(Reason::kRetryAfter), "retry_after");
}

}  // namespace
}  // namespace apiquota::guard
