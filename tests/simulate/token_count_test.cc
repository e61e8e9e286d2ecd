#include "simulate/token_count.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace apiquota::simulate {
namespace {

TokenCount Of(const std::string& body, std::optional<double> wanted = {}, double share = 0.5) {
  return CountTokens(body.size(), nlohmann::json::parse(body, nullptr, false), wanted, share);
}

TEST(TokenCountTest, FourBytesAreATokenAndAPartOfThemIsOne) {
  EXPECT_EQ(Of("").input, 0);
  EXPECT_EQ(Of("{}").input, 1);
  EXPECT_EQ(Of("{\"a\":1}").input, 2);
}

TEST(TokenCountTest, TheLargestCapIsAskedForAndAShareOfItWritten) {
  EXPECT_EQ(Of("{\"max_tokens\":1,\"max_completion_tokens\":100}"),
            (TokenCount{.input = 11, .output_asked = 100, .output = 50}));
  EXPECT_EQ(Of("{\"generationConfig\":{\"maxOutputTokens\":8}}", {}, 1).output, 8);
  EXPECT_EQ(Of("{\"max_tokens\":1}").output, 1);
}

TEST(TokenCountTest, EachOfSeveralAnswersCosts) {
  const TokenCount count = Of("{\"max_output_tokens\":100,\"n\":3}", 10);
  EXPECT_EQ(count.output_asked, 300);
  EXPECT_EQ(count.output, 30);
}

TEST(TokenCountTest, WhatIsWantedIsWrittenUpToTheCap) {
  EXPECT_EQ(Of("{\"max_tokens\":100}", 500).output, 100);
  EXPECT_EQ(Of("{\"max_tokens\":0}", 500).output, 0);
  EXPECT_EQ(Of("{}", 500), (TokenCount{.input = 1, .output_asked = 500, .output = 500}));
}

TEST(TokenCountTest, WithoutACapTheOutputIsTheUsual) {
  for (const char* body :
       {"", "[]", "{\"max_tokens\":\"9\"}", "{\"max_tokens\":-9}", "{\"generationConfig\":7}"}) {
    EXPECT_EQ(Of(body).output, kUncappedOutput) << body;
    EXPECT_EQ(Of(body).output_asked, kUncappedOutput) << body;
  }
}

}  // namespace
}  // namespace apiquota::simulate
