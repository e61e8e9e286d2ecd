#include "metrics/guard_metrics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

#include "metrics/api_metrics.h"
#include "tests/metrics/collected.h"

namespace apiquota::metrics {
namespace {

using guard::Mode;
using guard::Reason;
using guard::RetryCause;
using guard::RetryVerdict;
using guard::Verdict;

// "a/b/c" of the label values → value.
template <class Metric>
std::map<std::string, double> Values(const Family<Metric>& family) {
  std::map<std::string, double> values;
  for (const auto& metric : Collected(family).metric) {
    std::string labels;
    for (const auto& label : metric.label) labels += (labels.empty() ? "" : "/") + label.value;
    values[labels] = family.options().bounds.empty() ? metric.counter.value
                                                     : static_cast<double>(metric.histogram.sample_count);
  }
  return values;
}

class GuardMetricsTest : public testing::Test {
 protected:
  Registry registry_;
  AgentMetrics families_{registry_};
};

TEST_F(GuardMetricsTest, AnApiThatNobodyGuardsHasNoSeriesOfTheGuard) {
  const ApiMetrics api(families_, "a", {}, {});
  for (const Family<Counter>* family :
       {&families_.guard_decisions, &families_.guard_retries, &families_.guard_client_retries,
        &families_.guard_blind, &families_.guard_coalescable, &families_.guard_batchable}) {
    EXPECT_TRUE(Collected(*family).metric.empty()) << family->options().name;
  }
}

TEST_F(GuardMetricsTest, WhatAlertsCompareWithIsThereFromTheStart) {
  ApiMetrics api(families_, "a", {}, {});
  api.guard();
  EXPECT_EQ(Values(families_.guard_decisions), (std::map<std::string, double>{{"a/none/allow/on", 0}}));
  EXPECT_EQ(Values(families_.guard_retries), (std::map<std::string, double>{{"a/throttle/retried", 0},
                                                                            {"a/throttle/budget", 0},
                                                                            {"a/transient/retried", 0},
                                                                            {"a/transient/budget", 0},
                                                                            {"a/unsent/retried", 0},
                                                                            {"a/unsent/budget", 0}}));
  EXPECT_EQ(Values(families_.guard_blind), (std::map<std::string, double>{{"a", 0}}));
  EXPECT_EQ(Values(families_.guard_coalescable), (std::map<std::string, double>{{"a", 0}}));
  EXPECT_EQ(Values(families_.guard_batchable), (std::map<std::string, double>{{"a", 0}}));
  EXPECT_TRUE(Collected(families_.guard_delay).metric.empty()) << "a histogram begins with what is observed";
}

TEST_F(GuardMetricsTest, DecisionsOfAShadowAreCountedApart) {
  GuardMetrics guard(families_, "a");
  guard.CountDecision(Verdict::Kind::kAdmit, Reason::kNone, Mode::kOn);
  guard.CountDecision(Verdict::Kind::kQueued, Reason::kPace, Mode::kOn);
  guard.CountDecision(Verdict::Kind::kQueued, Reason::kCold, Mode::kOn);
  guard.CountDecision(Verdict::Kind::kRefuse, Reason::kRetryAfter, Mode::kShadow);
  EXPECT_EQ(Values(families_.guard_decisions),
            (std::map<std::string, double>{
                {"a/none/allow/on", 1}, {"a/pace/delay/on", 2}, {"a/retry_after/reject/shadow", 1}}));
}

TEST_F(GuardMetricsTest, EveryReasonAndOutcomeHasItsWord) {
  GuardMetrics guard(families_, "a");
  for (int reason = 1; reason <= static_cast<int>(Reason::kCold); ++reason)
    guard.ObserveDelay(static_cast<Reason>(reason), std::chrono::milliseconds(420));
  EXPECT_EQ(Values(families_.guard_delay), (std::map<std::string, double>{{"a/pace", 2},
                                                                          {"a/retry_after", 1},
                                                                          {"a/cooldown", 1},
                                                                          {"a/queue", 1},
                                                                          {"a/ramp", 1},
                                                                          {"a/retry", 1}}))
      << "a wait of a key that nothing is known of is one of pace";
  for (int kind = 0; kind <= static_cast<int>(RetryVerdict::Kind::kOff); ++kind)
    guard.CountRetry(RetryCause::kThrottle, static_cast<RetryVerdict::Kind>(kind));
  std::map<std::string, double> retries = Values(families_.guard_retries);
  std::erase_if(retries, [](const auto& entry) { return entry.second == 0; });
  EXPECT_EQ(retries, (std::map<std::string, double>{{"a/throttle/retried", 1},
                                                    {"a/throttle/attempts", 1},
                                                    {"a/throttle/budget", 1},
                                                    {"a/throttle/not_repeatable", 1},
                                                    {"a/throttle/body", 1},
                                                    {"a/throttle/deadline", 1}}))
      << "where nothing is retried there is nothing to count";
}

TEST_F(GuardMetricsTest, ClientsThatRetryAreCountedByTheirName) {
  GuardMetrics guard(families_, "a");
  guard.CountClientRetry("");
  guard.CountClientRetry("batch");
  guard.CountClientRetry("batch");
  guard.CountBlind();
  guard.CountCall(true, true);
  guard.CountCall(true, false);
  guard.CountCall(false, false);
  EXPECT_EQ(Values(families_.guard_client_retries),
            (std::map<std::string, double>{{"a/", 1}, {"a/batch", 2}}));
  EXPECT_EQ(Values(families_.guard_blind), (std::map<std::string, double>{{"a", 1}}));
  EXPECT_EQ(Values(families_.guard_coalescable), (std::map<std::string, double>{{"a", 2}}));
  EXPECT_EQ(Values(families_.guard_batchable), (std::map<std::string, double>{{"a", 1}}));
}

}  // namespace
}  // namespace apiquota::metrics
