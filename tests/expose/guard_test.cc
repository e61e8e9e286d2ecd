#include <gtest/gtest.h>

#include "expose/guard_json.h"
#include "expose/metrics.h"
#include "tests/expose/golden.h"
#include "tests/expose/sample_page.h"

namespace apiquota::expose {
namespace {

// APIQUOTA_GOLDEN=write renews the file; then read the difference.
TEST(GuardJsonTest, TheAnswerIsTheGoldenOne) {
  EXPECT_TRUE(IsGolden("guard.json", GuardJson(SampleGuard(), SampleTime(0))));
}

TEST(GuardJsonTest, WithoutAGuardNothingIsListed) {
  EXPECT_EQ(GuardJson({}, SampleTime(0)), R"({
  "at": 1700000000.0,
  "at_time": "2023-11-14T22:13:20Z",
  "apis": []
}
)");
}

std::string PageOf(GuardFacts facts) {
  MetricsPage page;
  page.snapshot.at = SampleTime(0);
  page.guard = std::move(facts);
  return MetricsText(page);
}

TEST(GuardFactsTest, WhatIsNotGuardedIsNotShown) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  const std::string page = PageOf(MakeGuardFacts({{"a", on}}, {{"b", "key", {}}}, {}, {}));
  EXPECT_EQ(page.find("apiquota_queue"), std::string::npos) << "nobody has used it";
  EXPECT_EQ(page.find("apiquota_inflight_requests"), std::string::npos);
}

TEST(GuardFactsTest, AQueueThatOnlyAShadowHasIsNotShown) {
  guard::Options shadow;
  shadow.mode = guard::Mode::kShadow;
  const std::string page = PageOf(MakeGuardFacts({{"a", shadow}}, {{"a", "key", {}}}, {}, {}));
  EXPECT_EQ(page.find("apiquota_queue"), std::string::npos);
  EXPECT_NE(page.find("apiquota_inflight_requests{api=\"a\",key=\"key\"} 0"), std::string::npos);
}

TEST(GuardFactsTest, TimesAreThoseOfTheSystemClock) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  guard::KeyView view;
  view.waiting = 1;
  view.queues = {{"", 1, SampleTime(-10)}};
  view.cooldowns = {{"", "retry-after", SampleTime(-5), 0}};
  const std::string page =
      PageOf(MakeGuardFacts({{"a", on}}, {{"a", "key", view}}, std::chrono::seconds(8), {}));
  EXPECT_NE(page.find("apiquota_queue_oldest_seconds{api=\"a\"} 2\n"), std::string::npos) << page;
  EXPECT_NE(
      page.find(
          "apiquota_cooldown_until_timestamp_seconds{api=\"a\",key=\"key\",resource=\"\"} 1700000003\n"),
      std::string::npos)
      << page;
}

TEST(GuardFactsTest, ACooldownThatIsOverIsNotShown) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  guard::KeyView view;
  view.cooldowns = {{"", "retry-after", SampleTime(0), 0}};
  EXPECT_EQ(PageOf(MakeGuardFacts({{"a", on}}, {{"a", "key", view}}, {}, {})).find("apiquota_cooldown"),
            std::string::npos);
}

}  // namespace
}  // namespace apiquota::expose
