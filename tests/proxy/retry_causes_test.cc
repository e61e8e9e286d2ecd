// What may be sent once more, and why.
#include "proxy/retry_causes.h"

#include <gtest/gtest.h>

namespace apiquota::proxy {
namespace {

using guard::RetryCause;
using provider::ThrottleScope;

TEST(RetryCausesTest, AThrottleWasNotCarriedOut) {
  const provider::Throttle primary{.scope = ThrottleScope::kPrimary, .signal = {}, .resource = {}};
  EXPECT_EQ(CauseOfAnswer(403, &primary), RetryCause::kThrottle);
  EXPECT_EQ(CauseOfAnswer(503, &primary), RetryCause::kThrottle);
  EXPECT_EQ(CauseOfAnswer(429, nullptr), RetryCause::kThrottle);
  EXPECT_EQ(CauseOfAnswer(529, nullptr), RetryCause::kThrottle);
}

TEST(RetryCausesTest, MoneyDoesNotComeBackByAsking) {
  const provider::Throttle spend{.scope = ThrottleScope::kSpend, .signal = {}, .resource = {}};
  EXPECT_EQ(CauseOfAnswer(429, &spend), std::nullopt);
}

TEST(RetryCausesTest, AServerThatCantDoItIsNotAskedAgain) {
  for (const int status : {500, 502, 503, 504, 520, 599}) {
    EXPECT_EQ(CauseOfAnswer(status, nullptr), RetryCause::kTransient) << status;
  }
  for (const int status : {200, 400, 403, 404, 499, 501, 505, 508, 510, 511}) {
    EXPECT_EQ(CauseOfAnswer(status, nullptr), std::nullopt) << status;
  }
}

TEST(RetryCausesTest, WhatFailsAgainForCertainAndOurOwnLimitsAreNoCause) {
  using metrics::UpstreamError;
  EXPECT_EQ(CauseOfFailure(UpstreamError::kConnectRefused), RetryCause::kUnsent);
  EXPECT_EQ(CauseOfFailure(UpstreamError::kClosedEarly), RetryCause::kTransient);
  for (const UpstreamError error :
       {UpstreamError::kTlsCertificate, UpstreamError::kAddressForbidden, UpstreamError::kQueueFull,
        UpstreamError::kQueueTimeout, UpstreamError::kLocalDescriptors, UpstreamError::kBadResponse,
        UpstreamError::kResponseHeadSize, UpstreamError::kClientGone}) {
    EXPECT_EQ(CauseOfFailure(error), std::nullopt);
  }
}

TEST(RetryCausesTest, IllIsWhatFailsAndNoThrottle) {
  using guard::Health;
  const provider::Throttle throttle{.scope = ThrottleScope::kOverload, .signal = {}, .resource = {}};
  for (const int status : {500, 502, 503, 504, 520}) {
    EXPECT_EQ(HealthOf(status, nullptr), Health::kIll) << status;
    EXPECT_EQ(HealthOf(status, &throttle), Health::kUnknown) << status;
  }
  EXPECT_EQ(HealthOf(529, nullptr), Health::kUnknown);
  for (const int status : {101, 200, 304, 400, 404, 429, 501}) {
    EXPECT_EQ(HealthOf(status, nullptr), Health::kWell) << status;
  }
  EXPECT_EQ(HealthOf(429, &throttle), Health::kWell) << "it answers";
}

TEST(RetryCausesTest, TheAgentsOwnLimitsAndClientsThatLeaveAreNoIllness) {
  using guard::Health;
  using metrics::UpstreamError;
  for (const UpstreamError error :
       {UpstreamError::kAddressForbidden, UpstreamError::kLocalDescriptors, UpstreamError::kQueueFull,
        UpstreamError::kQueueTimeout, UpstreamError::kResponseHeadSize, UpstreamError::kResponseFieldsMax,
        UpstreamError::kInterimLimit, UpstreamError::kClientGone}) {
    EXPECT_EQ(HealthOf(error), Health::kUnknown) << static_cast<int>(error);
  }
  for (const UpstreamError error :
       {UpstreamError::kDns, UpstreamError::kConnectRefused, UpstreamError::kTlsCertificate,
        UpstreamError::kClosedEarly, UpstreamError::kTruncated, UpstreamError::kBadResponse,
        UpstreamError::kFirstByteTimeout, UpstreamError::kIdleTimeout}) {
    EXPECT_EQ(HealthOf(error), Health::kIll) << static_cast<int>(error);
  }
}

}  // namespace
}  // namespace apiquota::proxy
