#include "provider/policies.h"

#include <gtest/gtest.h>

namespace apiquota::provider {
namespace {

using Policies = std::vector<Policy>;
using Statuses = std::vector<PolicyStatus>;

TEST(PoliciesTest, DraftsThreeToSevenListIntegers) {
  EXPECT_EQ(ParsePolicies("10;w=1, 50;w=60;burst=1000;comment=\"sliding window\", 1000"),
            (Policies{{"", 10, 1, "", ""}, {"", 50, 60, "", ""}, {"", 1000, std::nullopt, "", ""}}));
  EXPECT_EQ(ParsePolicies("500; w=60"), (Policies{{"", 500, 60, "", ""}})) << "a space after ; is legal";
  EXPECT_EQ(ParsePolicies("100;w=1;name=\"safety net\""), (Policies{{"safety net", 100, 1, "", ""}}));
}

TEST(PoliciesTest, DraftsEightAndLaterNameThem) {
  EXPECT_EQ(
      ParsePolicies("\"peruser\";q=65535;qu=\"content-bytes\";w=10;pk=:YWJj:, quota;q=100;w=1, \"old\";l=5"),
      (Policies{{"peruser", 65535, 10, "content-bytes", "abc"},
                {"quota", 100, 1, "", ""},
                {"old", 5, std::nullopt, "", ""}}));
}

TEST(PoliciesTest, MembersOfAWrongTypeArePassedOver) {
  EXPECT_EQ(ParsePolicies("\"a\";q=1.5;w=0, (1 2);w=1, ?1;w=1, -5;w=1, \"b\";q=-1;w;qu=token, 7;w=2"),
            (Policies{{"a", std::nullopt, std::nullopt, "", ""},
                      {"b", std::nullopt, std::nullopt, "", ""},
                      {"", 7, 2, "", ""}}));
}

TEST(PoliciesTest, AFieldThatIsNoStructuredFieldIsIgnoredWhole) {
  for (const auto* text : {"\"fixed window\";\"api\";q=500;w=300", "10;w=1,", "10 ;w=1", "\"a\";Q=1", "1s"}) {
    EXPECT_EQ(ParsePolicies(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParsePolicies(std::string(kPolicyBytesMax + 1, '1')), std::nullopt);
}

TEST(PolicyStatusesTest, DraftsEightAndLaterNameThem) {
  EXPECT_EQ(ParsePolicyStatuses("\"default\";r=50;t=30, quota;t=1, \"sliding\";q=12;r=6;t=1.5;pk=:YWJj:"),
            (Statuses{{"default", std::nullopt, 50, 30, std::nullopt, ""},
                      {"quota", std::nullopt, std::nullopt, 1, std::nullopt, ""},
                      {"sliding", 12, 6, std::nullopt, std::nullopt, "abc"}}));
}

TEST(PolicyStatusesTest, DraftSevenIsADictionary) {
  const Statuses expected = {{"", 100, 50, 5, std::nullopt, ""}};
  EXPECT_EQ(ParsePolicyStatuses("limit=100, remaining=50, reset=5"), expected);
  EXPECT_EQ(ParsePolicyStatuses("reset=5, other=?1, limit=1, limit=100;x=y, remaining=50"), expected);
  EXPECT_EQ(ParsePolicyStatuses("limit=100; remaining=50; reset=5"), expected) << "; where it wants ,";
  EXPECT_EQ(ParsePolicyStatuses("limit=-1, remaining=1.5, reset=\"5\""), Statuses{});
}

TEST(PolicyStatusesTest, EmptyAndBrokenFields) {
  EXPECT_EQ(ParsePolicyStatuses(""), Statuses{});
  EXPECT_EQ(ParsePolicyStatuses("limit=100 remaining=50"), std::nullopt);
}

}  // namespace
}  // namespace apiquota::provider
