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

// One that waits for tokens after another attempt was refused for a cooldown; in the shadow one that can
// never go.
GuardFacts SampleDecisions() {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  guard::Decision went, waits, refused;
  went.at = went.deadline = SampleTime(-1);
  went.could_go = went.at;
  waits.at = SampleTime(-1);
  waits.kind = guard::Verdict::Kind::kQueued;
  waits.reason = guard::Reason::kPace;
  waits.resource = "gpt-4o";
  waits.tokens = {.input = 200, .output = 2300, .counted = 2500};
  waits.waiting_before = 12;
  waits.held_by = guard::HeldBy{"gpt-4o", "tokens", "tokens", 30000, 60, 1200.5, 2500};
  waits.could_go = SampleTime(11.25);
  waits.deadline = SampleTime(64);
  waits.waited.reset();
  refused = waits;
  refused.kind = guard::Verdict::Kind::kRefuse;
  refused.reason = guard::Reason::kRetryAfter;
  refused.again = true;
  refused.held_by.reset();
  refused.evidence = "retry-after";
  refused.waiting_before.reset();
  refused.waited = std::chrono::seconds(3);
  guard::Decision never = waits;
  never.kind = guard::Verdict::Kind::kRefuse;
  never.could_go.reset();
  guard::KeyView first, second, shadow;
  first.last = waits;
  first.last_held = refused;
  second.last = went;
  shadow.last = shadow.last_held = never;
  GuardFacts facts = MakeGuardFacts({{"openai-prod", on}},
                                    {{"openai-prod", "hmac:0a1b2c3d", first},
                                     {"openai-prod", "second", second, shadow},
                                     {"openai-prod", "unused", {}}},
                                    std::chrono::seconds(1), {});
  AddApiViews({SampleApiView()}, std::chrono::seconds(1), &facts);
  return facts;
}

TEST(GuardJsonTest, TheLastDecisionsAreTheGoldenOnes) {
  EXPECT_TRUE(IsGolden("guard_explain.json", GuardExplainJson(SampleDecisions(), SampleTime(0))));
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
  view.queues = {{"", 1, SampleTime(-10), SampleTime(-9)}};
  view.cooldowns = {{"", "retry-after", SampleTime(-5), 0}};
  const std::string page =
      PageOf(MakeGuardFacts({{"a", on}}, {{"a", "key", view}}, std::chrono::seconds(8), {}));
  EXPECT_NE(page.find("apiquota_queue_oldest_seconds{api=\"a\"} 2\n"), std::string::npos) << page;
  EXPECT_NE(page.find("apiquota_queue_overdue_seconds{api=\"a\"} 1\n"), std::string::npos) << page;
  EXPECT_NE(
      page.find(
          "apiquota_cooldown_until_timestamp_seconds{api=\"a\",key=\"key\",resource=\"\"} 1700000003\n"),
      std::string::npos)
      << page;
}

// The first of the sample's rules, and another way to be counted.
std::string PageOfUses(std::vector<guard::LimitUse> uses, guard::LimitRuleView view) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  view.uses = std::move(uses);
  GuardFacts facts = MakeGuardFacts({{"a", on}}, {}, {}, {});
  AddApiViews({{.api = "a", .breaker = std::nullopt, .limits = {std::move(view)}}}, {}, &facts);
  return PageOf(std::move(facts));
}

TEST(GuardFactsTest, ALimitByAddressIsNoSeries) {
  const std::string page =
      PageOfUses({{"", "", "192.0.2.7", "", 9, 10, SampleTime(1)}}, {.rule = SampleRules().back()});
  EXPECT_EQ(page.find("apiquota_limit_used_ratio"), std::string::npos) << page;
}

TEST(GuardFactsTest, ALimitThatIsOnlyJudgedIsNoSeries) {
  const std::vector<guard::LimitUse> uses = {{"nightly", "", "", "", 9, 10, SampleTime(1)}};
  const std::string in_force = PageOfUses(uses, {.rule = SampleRules()[0]});
  EXPECT_NE(in_force.find("apiquota_limit_used_ratio"), std::string::npos) << in_force;
  const std::string judged = PageOfUses(uses, {.rule = SampleRules()[0], .judged = true});
  EXPECT_EQ(judged.find("apiquota_limit_"), std::string::npos) << judged;
}

TEST(GuardFactsTest, OfTwoUsesUnderOneNameTheFullerIsShown) {
  const std::string page = PageOfUses({{"nightly", "", "", "", 5, 10, SampleTime(1)},
                                       {"nightly", "", "", "", 8, 10, SampleTime(1)},
                                       {"nightly", "", "", "", 1, 10, SampleTime(1)}},
                                      {.rule = SampleRules()[0]});
  EXPECT_NE(page.find("apiquota_limit_used_ratio{api=\"a\",limit=\"tokens-a-day\",caller=\"nightly\"} 0.8\n"),
            std::string::npos)
      << page;
}

std::string PageOfCache(std::optional<SystemTime> served_stale_at) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  GuardFacts facts = MakeGuardFacts({{"a", on}}, {}, {}, {});
  CacheFacts cache;
  cache.view.served_stale_at = served_stale_at;
  AddCaches({{"a", cache}}, std::chrono::seconds(1), &facts);
  return PageOf(std::move(facts));
}

TEST(GuardFactsTest, AnApiCountsAsFailingForAMinuteAfterAStaleAnswer) {
  const std::string stale = "apiquota_degraded{api=\"a\",mode=\"stale\"} ";
  EXPECT_NE(PageOfCache({}).find(stale + "0\n"), std::string::npos);
  EXPECT_NE(PageOfCache(SampleTime(-60)).find(stale + "1\n"), std::string::npos);
  EXPECT_NE(PageOfCache(SampleTime(-61)).find(stale + "0\n"), std::string::npos);
}

TEST(GuardJsonTest, ABreakerWhoseProbeIsDueIsHalfOpen) {
  guard::Options on;
  on.mode = guard::Mode::kOn;
  GuardFacts facts = MakeGuardFacts({{"a", on}}, {}, {}, {});
  AddApiViews({SampleApiView()}, {}, &facts);  // of another api
  EXPECT_NE(GuardJson(facts, SampleTime(0)).find("\"breaker\": null"), std::string::npos);
  guard::ApiView view = SampleApiView();
  view.api = "a";
  AddApiViews({view}, {}, &facts);
  EXPECT_NE(GuardJson(facts, SampleTime(7)).find("\"state\": \"open\""), std::string::npos);
  EXPECT_NE(GuardJson(facts, SampleTime(8)).find("\"state\": \"half_open\""), std::string::npos);
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
