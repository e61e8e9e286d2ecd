#include "provider/refusal.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "provider/catalogue.h"
#include "provider/exporter_rules.h"

namespace apiquota::provider {
namespace {

using Json = nlohmann::json;

constexpr char kHead[] = "name: x\ntitle: X\n";

ExporterPtr Loaded(const std::string& rest) {
  const auto loaded = LoadExporter(kHead + rest, "x.yaml");
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return loaded.value_or(nullptr);
}

std::string ErrorOf(const std::string& body) {
  const auto loaded = LoadExporter(kHead + ("refusal: {body: '" + body + "'}\n"), "x.yaml");
  return loaded ? "" : loaded.error().message;
}

RefusalFacts Facts() {
  return {.message = "say \"no\",\n\xff or wait",
          .retry_after_seconds = 1.2,
          .quota = "to\"kens",
          .rule = "pace",
          .violated_policies = {"apiquota-tokens"}};
}

TEST(RefusalTest, TextsAreEscapedIntoTheApisOwnShape) {
  const ExporterPtr exporter = Loaded(
      R"(refusal: {status: 430, content_type: application/x-json,
  body: '{"error": {"m": "{message}", "q": "{quota}/{rule}",
    "s": {status}, "w": [{retry_after}, "{retry_after_ms}"],
  "o": {}}}'})");
  const RefusalBody limited = RenderRefusal(*exporter, Facts());
  EXPECT_EQ(limited.status, 430);
  EXPECT_EQ(limited.content_type, "application/x-json");
  EXPECT_EQ(Json::parse(limited.body), (Json{{"error",
                                              {{"m", "say \"no\",\n\xef\xbf\xbd or wait"},
                                               {"q", "to\"kens/pace"},
                                               {"s", 430},
                                               {"w", {2, "1200"}},
                                               {"o", Json::object()}}}}));
  RefusalFacts facts = Facts();
  facts.unavailable = true;
  EXPECT_EQ(RenderRefusal(*exporter, facts).status, 503);
  EXPECT_EQ(Json::parse(RenderRefusal(*exporter, facts).body)["error"]["s"], 503);
}

TEST(RefusalTest, WithoutAShapeProblemDetailsAreSaid) {
  const ExporterPtr exporter = Loaded("");
  EXPECT_EQ(RenderRefusal(*exporter, {.message = "m", .violated_policies = {"a", "b"}}),
            (RefusalBody{429, "application/problem+json",
                         R"({"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",)"
                         R"("title":"The quota for this request is used up","status":429,"detail":"m",)"
                         R"("violated-policies":["a","b"]})"}));
  EXPECT_EQ(
      RenderRefusal(*exporter, {.unavailable = true, .message = "m"}),
      (RefusalBody{503, "application/problem+json",
                   R"({"type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",)"
                   R"("title":"The API has no capacity for this request at the moment","status":503,)"
                   R"("detail":"m"})"}));
}

TEST(RefusalTest, ATemplateThatCanNotBecomeJsonIsRefused) {
  EXPECT_EQ(ErrorOf(R"({"m": "{message}", "x": "{wait}"})"),
            "x.yaml:3:17: unknown placeholder; known here: message, retry_after, retry_after_ms, status, "
            "quota, rule");
  EXPECT_EQ(ErrorOf(R"({"m": {message}})"),
            "x.yaml:3:17: expected JSON, with {message} and other texts between quotes");
  EXPECT_EQ(ErrorOf(R"({"m": "{message}")"),
            "x.yaml:3:17: expected JSON, with {message} and other texts between quotes");
  EXPECT_EQ(ErrorOf(R"({"m": "no"})"),
            "x.yaml:3:17: expected {message} in it: the sentence that people are to see");
  EXPECT_EQ(ErrorOf(R"({"m": "{message}"})"), "");
}

// Whether some text of the document is this.
bool Holds(const Json& json, const std::string& text) {
  if (json.is_string()) return json.get<std::string>().find(text) != std::string::npos;
  for (const Json& child : json) {
    if (child.is_structured() || child.is_string()) {
      if (Holds(child, text)) return true;
    }
  }
  return false;
}

TEST(RefusalTest, EveryFileShowsTheSentence) {
  const auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value());
  for (const ExporterPtr& exporter : catalogue->All()) {
    for (const bool unavailable : {false, true}) {
      const RefusalBody body = RenderRefusal(
          *exporter,
          {.unavailable = unavailable, .message = "\"tokens\" are used up", .retry_after_seconds = 7});
      const Json json = Json::parse(body.body, nullptr, false);
      EXPECT_TRUE(Holds(json, "\"tokens\" are used up")) << Info(*exporter).name << ": " << body.body;
      EXPECT_EQ(body.status == 503, unavailable) << Info(*exporter).name;
    }
  }
}

}  // namespace
}  // namespace apiquota::provider
