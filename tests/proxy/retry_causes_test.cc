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

}  // namespace
}  // namespace apiquota::proxy
