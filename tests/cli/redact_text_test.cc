#include "cli/redact_text.h"

#include <gtest/gtest.h>

namespace apiquota::cli {
namespace {

TEST(RedactTextTest, WordsNumbersAndTimesStay) {
  for (const char* text : {"requests",
                           "rate_limit_exceeded",
                           "gpt-4o-2024-08-06",
                           "claude-3-5-sonnet-20241022",
                           "core",
                           "1h30m12s",
                           "GenerateContentInputTokensPerModelPerMinute-FreeTier",
                           "text-embedding-ada-002",
                           "RESOURCE_EXHAUSTED",
                           "llama-3.1-70b-versatile",
                           "safety_net_app_id_user_id",
                           "50, 50;w=1;name=\"burst\"",
                           "TPM",
                           "@type",
                           "Throttling.User",
                           "mixtral-8x7b",
                           "davinci003",
                           "24hours",
                           "anthropic.claude-v2:1",
                           ""}) {
    EXPECT_EQ(WithoutIdentifiers(text, kDigitsOfNames), text);
  }
}

TEST(RedactTextTest, WhatCouldBeSomebodysGoes) {
  for (const char* text :
       {"sk-ant-api03-word", "ghp_word", "550e8400-e29b-41d4-a716-446655440000", "org-AbCd1234EfGh5678IjKl",
        "jo.doe+x@mail.example.com", "123456789", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "9f86d081884c7d65", "qwrtpsdfghjklzxcvb", "CANARY-7f3b9a", "aXbYcZdWeVfU",
        "req_011CSHoEeqs5C35K2UUqR7Fy", "AKIAIOSFODNNEXAMPLE", "acct_1032D82eZvKYlo2C"}) {
    EXPECT_EQ(WithoutIdentifiers(text, kDigitsOfNames), kRedacted) << text;
  }
  EXPECT_EQ(WithoutIdentifiers("limit of org-AbCd1234EfGh5678 (jo@a.example): 5\x1b\xc3\xa9", 8),
            "limit of redacted (redacted): 5???");
}

TEST(RedactTextTest, TheNumberOfDigitsIsTheCallersToJudge) {
  EXPECT_TRUE(ShowsNoIdentifier("1718236861", kDigitsOfAmounts));
  EXPECT_FALSE(ShowsNoIdentifier("1718236861", kDigitsOfNames));
}

TEST(RedactTextTest, EndpointsAreWordsVersionsAndDates) {
  for (const char* segment :
       {"models", "v1", "v1beta", "v1beta1", "2024-04", "graphql.json", "oauth2", "chat", "1.1"}) {
    EXPECT_TRUE(NamesAnEndpoint(segment)) << segment;
  }
  for (const char* segment : {"12345", "canary01", "7f3b9a", "T024BE7LD", "a1b2", "jo@a.example"}) {
    EXPECT_FALSE(NamesAnEndpoint(segment)) << segment;
  }
}

TEST(RedactTextTest, CodesAreWords) {
  EXPECT_TRUE(LooksLikeCode("insufficient_quota"));
  EXPECT_FALSE(LooksLikeCode("a phrase"));
  EXPECT_FALSE(LooksLikeCode("code7"));
  EXPECT_FALSE(LooksLikeCode(""));
}

}  // namespace
}  // namespace apiquota::cli
