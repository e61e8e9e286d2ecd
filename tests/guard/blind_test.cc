// Requests of which nobody can know the resource, where only answers name it.
#include <gtest/gtest.h>

#include <string_view>

#include "tests/guard/key_guard_under_test.h"

namespace apiquota::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BlindTest : public testing::Test {
 protected:
  void Answer(std::string_view route, std::string_view resource) {
    const Verdict verdict = guard.Ask({.route = route, .flow = "a", .deadline = now + seconds(65)}, now);
    guard.Sent(verdict.id, now);
    now += milliseconds(20);
    guard.Answered(verdict.id,
                   {.status = 200,
                    .received_at = now,
                    .date = now,
                    .resource = resource,
                    .readings = {},
                    .throttle = nullptr,
                    .retry_after_seconds = {}},
                   now);
    guard.Settle(verdict.id, std::nullopt, now);
  }

  SystemTime now = kStart;
  KeyGuard guard{GuardOn(), {}, true, 1};
};

TEST_F(BlindTest, WhereNoAnswerHasNamedAResourceNobodyIsBlind) {
  EXPECT_FALSE(guard.ModelOf("", "GET /user").blind);
  for (int i = 0; i < 40; ++i) Answer("GET /user", "");
  EXPECT_FALSE(guard.ModelOf("", "GET /user").blind) << "they never do";
}

TEST_F(BlindTest, OnceAnswersNameResourcesARouteThatIsNotKnownIsBlind) {
  Answer("GET /user", "core");
  EXPECT_FALSE(guard.ModelOf("", "GET /user").blind);
  EXPECT_TRUE(guard.ModelOf("", "GET /search/code").blind);
  EXPECT_FALSE(guard.ModelOf("search", "GET /search/code").blind) << "the request names it";
}

}  // namespace
}  // namespace apiquota::guard
