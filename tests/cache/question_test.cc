#include "cache/question.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cache/ask.h"

namespace apiquota::cache {
namespace {

TEST(QuestionTest, AKeyIsCredentialAndTarget) {
  const Digest key = KeyOf(*Asked());
  EXPECT_EQ(key, KeyOf(*Asked({{"Accept", "text/plain"}})));
  EXPECT_EQ(key, KeyOf(*Asked("HEAD", "/v1/x")));
  EXPECT_NE(key, KeyOf(*Asked("GET", "/v1/y")));
  EXPECT_NE(key, KeyOf(*Asked("GET", "/v1/x?a=b")));
  Asked other;
  other.credential = "d";
  EXPECT_NE(key, KeyOf(*other));
  // No byte moves from one to the other.
  Asked moved;
  moved.credential = "c/v1";
  moved.target = "/x";
  EXPECT_NE(key, KeyOf(*moved));
}

TEST(QuestionTest, APostsKeyIsAlsoItsBodyAndWhateverFieldMaySelect) {
  const auto with = [](std::string_view body, Lines lines) {
    Asked asked = Posted(body);
    asked.fields = FieldsOf(lines);
    return KeyOf(*asked);
  };
  const Digest key = with("{}", {{"OpenAI-Organization", "a"}, {"Accept", "b"}});
  EXPECT_EQ(key, with("{}", {{"accept", "b"}, {"user-agent", "x"}, {"openai-organization", "a"}}));
  EXPECT_EQ(key, with("{}", {{"X-Stainless-Retry-Count", "1"},
                             {"OpenAI-Organization", "a"},
                             {"Accept", "b"},
                             {"Cache-Control", "no-cache"},
                             {"Pragma", "no-cache"},
                             {"Idempotency-Key", "k"}}));
  EXPECT_NE(key, with("[]", {{"OpenAI-Organization", "a"}, {"Accept", "b"}}));
  EXPECT_NE(key, with("{}", {{"OpenAI-Organization", "b"}, {"Accept", "b"}}));
  EXPECT_NE(key, with("{}", {{"Accept", "b"}}));
}

TEST(QuestionTest, AnIdentityIsEveryFieldThatMaySelect) {
  const Digest identity = IdentityOf(*Asked({{"Accept", "a"}, {"If-None-Match", "\"a\""}}));
  EXPECT_EQ(identity,
            IdentityOf(*Asked({{"If-None-Match", "\"a\""}, {"TraceParent", "1"}, {"Accept", "a"}})));
  EXPECT_NE(identity, IdentityOf(*Asked({{"Accept", "a"}})));
  EXPECT_NE(identity, IdentityOf(*Asked({{"Accept", "b"}, {"If-None-Match", "\"a\""}})));
  EXPECT_NE(IdentityOf(*Asked()), IdentityOf(*Asked("HEAD", "/v1/x")));
  // Of lines of one name the order counts.
  EXPECT_NE(IdentityOf(*Asked({{"A", "1"}, {"A", "2"}})), IdentityOf(*Asked({{"A", "2"}, {"A", "1"}})));
}

TEST(QuestionTest, FieldsThatTheCredentialStandsForMakeNoDifference) {
  const std::vector<std::string> stands_for = {"authorization"};
  const Asked one({{"Authorization", "Bearer one"}});
  const Asked two({{"Authorization", "Bearer two"}});
  EXPECT_NE(IdentityOf(*one), IdentityOf(*two));
  Question first = *one;
  Question second = *two;
  first.credential_fields = second.credential_fields = stands_for;
  EXPECT_EQ(IdentityOf(first), IdentityOf(second));
}

TEST(CanonicalJsonTest, SpacingAndOrderOfMembersMakeNoDifference) {
  EXPECT_EQ(CanonicalJson(" { \"b\" : [ 1 , 2.50 , true ] , \"a\" : { \"d\" : null , \"c\" : \"x y\" } } \n"),
            R"({"a":{"c":"x y","d":null},"b":[1,2.50,true]})");
  EXPECT_EQ(CanonicalJson("[{},[],\"\",-0.5e+7]"), "[{},[],\"\",-0.5e+7]");
}

TEST(CanonicalJsonTest, WhatMayMeanSomethingElseStaysApart) {
  // Of two members of one name the last one counts, however they are spelt.
  EXPECT_NE(CanonicalJson(R"({"a":1,"a":2})"), CanonicalJson(R"({"a":2,"a":1})"));
  EXPECT_NE(CanonicalJson(R"({"b":0,"a":1,"\u0061":2})"), CanonicalJson(R"({"b":0,"\u0061":2,"a":1})"));
  EXPECT_NE(CanonicalJson("[1]"), CanonicalJson("[1.0]"));
  EXPECT_NE(CanonicalJson("[1,2]"), CanonicalJson("[2,1]"));
}

TEST(CanonicalJsonTest, ManyMembersOfOneNameKeepTheirOrder) {
  std::string text = "{\"b\":0";
  std::string sorted = "{";
  for (int i = 0; i < 100; ++i) {
    const std::string member = "\"a\":" + std::to_string(i);
    text.append(",").append(member);
    sorted.append(member).append(",");
  }
  EXPECT_EQ(CanonicalJson(text + "}"), sorted + "\"b\":0}");
}

TEST(CanonicalJsonTest, WhatIsNoJsonIsNothing) {
  for (const std::string_view text :
       {"",   "{",  "[",   "[1,]", "{\"a\":}", "{\"a\"}", "{a:1}", "nul", "01",         "1.", ".5", "-",
        "1e", "\"", "\"a", "\"\\", "\"\n\"",   "[1 2]",   "{} {}", "[}",  "{\"a\":1,}", "+1", "NaN"}) {
    EXPECT_EQ(CanonicalJson(text), std::nullopt) << text;
  }
  EXPECT_TRUE(CanonicalJson(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(CanonicalJson(std::string(65, '[') + std::string(65, ']')));
}

}  // namespace
}  // namespace apiquota::cache
