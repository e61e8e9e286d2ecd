#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/explain.h"
#include "tests/cli/explain_kit.h"

namespace apiquota::cli {
namespace {

// One entry of a HAR file.
std::string Entry(const std::string& url, int status, const std::string& headers) {
  return "{\"request\":{\"method\":\"GET\",\"url\":\"" + url +
         "\"},\"response\":{\"status\":" + std::to_string(status) + ",\"headers\":[" + headers + "]}}";
}

const std::string kHar =
    "{\"log\":{\"entries\":[" + Entry("https://shop.example/", 200, "") + "," +
    Entry("https://api.github.com/user?token=x", 200, R"({"name":"x-ratelimit-limit","value":"60"})") + "," +
    Entry("https://api.github.com/blocked", 0, "") + "," +
    Entry("https://api.example.com/v1\\u001b[2J", 429, "") + "]}}";

TEST(ExplainHarTest, OfAHarEveryEntryThatSpeaksOfLimitsIsExplained) {
  EXPECT_EQ(Explained(kHar), (Outcome{0,
                                      "entry 2: GET https://api.github.com/user\n"
                                      "GitHub (github): 200 OK, recognised by its host api.github.com\n"
                                      "  requests  [                    ]       limit 60 requests  per 1h\n\n"
                                      "entry 4: GET https://api.example.com/v1?[2J\n"
                                      "Any API with rate-limit headers (generic): 429 Too Many Requests\n"
                                      "throttled: a quota is used up (primary, by the status)\n",
                                      ""}));
  const auto json = nlohmann::json::parse(Explained(kHar, {.format = "json"}).out);
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["entry"], 2);
  EXPECT_EQ(json[0]["request"], "GET https://api.github.com/user");
  EXPECT_EQ(json[1]["throttle"]["scope"], "primary");
}

TEST(ExplainHarTest, OneEntryOfAHarIsExplainedAsAnyAnswer) {
  EXPECT_EQ(Explained(kHar, {.entry = 2}).out,
            "GitHub (github): 200 OK, recognised by its host api.github.com\n"
            "  requests  [                    ]       limit 60 requests  per 1h\n");
  EXPECT_TRUE(nlohmann::json::parse(Explained(kHar, {.format = "json", .entry = 1}).out).is_object());
  EXPECT_EQ(Explained(kHar, {.entry = 1}).code, 3);
  EXPECT_EQ(Explained(kHar, {.entry = 3}),
            (Outcome{2, "", "apiquota explain: entry 3 was never answered\n"}));
  EXPECT_EQ(Explained(kHar, {.entry = 5}),
            (Outcome{2, "", "apiquota explain: --entry: the input has 4 of them\n"}));
  EXPECT_EQ(
      Explained(kHar, {.request_url = "https://a.example/"}).err,
      "apiquota explain: --request-url: the entries of a HAR file say their own; choose one with --entry\n");
}

TEST(ExplainHarTest, AHarThatSaysNothingOfLimitsIsThree) {
  const std::string har =
      "[" + Entry("https://a.example/", 200, "") + "," + Entry("https://b.example/", 200, "") + "]";
  EXPECT_EQ(Explained(har), (Outcome{3, "none of 2 entries speaks of limits\n", ""}));
  EXPECT_EQ(Explained(har, {.format = "json"}), (Outcome{3, "[]\n", ""}));
}

}  // namespace
}  // namespace apiquota::cli
