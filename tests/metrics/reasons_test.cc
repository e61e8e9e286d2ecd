#include "metrics/reasons.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace apiquota::metrics {
namespace {

bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

TEST(ReasonsTest, EveryReasonHasItsOwnLabelAndASentenceThatProxyStatusCanHold) {
  std::set<std::string_view> labels;
  for (size_t i = 0; i < kUpstreamErrorCount; ++i) {
    const ReasonInfo& info = Info(static_cast<UpstreamError>(i));
    EXPECT_TRUE(labels.insert(info.label).second) << info.label;
    EXPECT_TRUE(!info.detail.empty() && IsPlain(info.detail)) << info.label;
    const bool answered = static_cast<UpstreamError>(i) != UpstreamError::kClientGone;
    EXPECT_TRUE(!answered || (info.status >= 502 && info.status <= 504)) << info.label;
  }
  for (size_t i = 0; i < kRejectionCount; ++i) {
    const ReasonInfo& info = Info(static_cast<Rejection>(i));
    EXPECT_TRUE(!info.detail.empty() && IsPlain(info.detail)) << info.label;
  }
}

TEST(ReasonsTest, LimitsAreToldFromGrammarAndTheRuleIsInTheSentence) {
  std::set<std::string_view> labels;
  for (const std::string_view rule : http::kResponseRefusalRules)
    labels.insert(Info(ToUpstreamError({502, rule, ""})).label);
  EXPECT_EQ(labels, (std::set<std::string_view>{"bad_response", "response_head_size", "response_fields_max",
                                                "interim_limit"}));
  EXPECT_EQ(Detail(UpstreamError::kBadResponse, {502, "line_ending", "a CR that is not followed by LF"}),
            "the upstream's response is not valid HTTP/1.1: a CR that is not followed by LF (line_ending)");
}

}  // namespace
}  // namespace apiquota::metrics
