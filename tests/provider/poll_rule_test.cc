#include "provider/poll_rule.h"

#include <gtest/gtest.h>

#include "provider/exporter.h"

namespace apiquota::provider {
namespace {

Result<ExporterPtr> Load(const std::string& poll) {
  return LoadExporter("name: x\ntitle: X\npoll: " + poll + "\n", "x.yaml");
}

std::string ErrorOf(const std::string& poll) {
  const auto loaded = Load(poll);
  return loaded ? "" : loaded.error().message;
}

TEST(PollRuleTest, EveryKeyArrives) {
  const auto loaded =
      Load("{method: HEAD, path: \"/v1/me?x=1\", costs: units 40, headers: {accept: text/x, x-v: '2'}}");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(Info(**loaded).poll,
            (PollRule{"HEAD", "/v1/me?x=1", {{"accept", "text/x"}, {"x-v", "2"}}, "units", 40}));
}

TEST(PollRuleTest, GetIsTheDefaultAndNothingCostsNothing) {
  const auto loaded = Load("{path: /me, costs: nothing}");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(Info(**loaded).poll, (PollRule{"GET", "/me", {}, "", 0}));
}

TEST(PollRuleTest, AnExporterWithoutOneCannotBePolled) {
  const auto loaded = LoadExporter("name: x\ntitle: X\n", "x.yaml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(Info(**loaded).poll, std::nullopt);
}

TEST(PollRuleTest, MistakesNameTheirPlace) {
  EXPECT_EQ(ErrorOf("{path: /me}"), "x.yaml:3:7: \"costs\" is missing here");
  EXPECT_EQ(ErrorOf("{costs: nothing}"), "x.yaml:3:7: \"path\" is missing here");
  EXPECT_EQ(ErrorOf("{path: me, costs: nothing}"), "x.yaml:3:14: expected a path such as /v1/models");
  EXPECT_EQ(ErrorOf("{path: \"/a b\", costs: nothing}"), "x.yaml:3:14: expected a path such as /v1/models");
  EXPECT_EQ(ErrorOf("{method: POST, path: /me, costs: nothing}"), "x.yaml:3:16: expected one of GET, HEAD");
  for (const char* costs :
       {"1", "requests", "requests 0", "requests -1", "requests 1000001", "requests  1"}) {
    EXPECT_EQ(ErrorOf("{path: /me, costs: " + std::string(costs) + "}"),
              "x.yaml:3:26: expected nothing, or a unit and an amount such as requests 1");
  }
  EXPECT_EQ(ErrorOf("{path: /me, costs: nothing, headers: {X-Y: z}}"),
            "x.yaml:3:50: expected a header's name in lower case");
  EXPECT_EQ(ErrorOf("{path: /me, costs: nothing, headers: {x-y: \"a\\nb\"}}"),
            "x.yaml:3:50: expected visible ASCII");
  EXPECT_EQ(ErrorOf("{path: /me, costs: nothing, body: {}}"),
            "x.yaml:3:35: unknown key; known here: method, path, costs, headers");
}

}  // namespace
}  // namespace apiquota::provider
