#include "provider/request_resource.h"

#include <gtest/gtest.h>

#include "provider/catalogue.h"
#include "provider/extract_signals.h"

namespace apiquota::provider {
namespace {

ExporterPtr Loaded(const std::string& resource) {
  const auto loaded = LoadExporter("name: x\ntitle: X\nresource: " + resource + "\n", "x.yaml");
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return loaded.value_or(nullptr);
}

http::Exchange Request(const std::string& path, const std::string& model = {}) {
  http::Exchange exchange;
  exchange.path = path;
  if (!model.empty()) exchange.request_body.push_back({"/model", model});
  return exchange;
}

constexpr char kAll[] =
    R"([{path: "/v1/models/*:"}, {path: /graphql, value: graphql}, {request_body: /model}, {header: x-r}])";

TEST(RequestResourceTest, WhatTheRequestNamesIsWhatTheAnswersExchangeIsAbout) {
  for (const char* rules :
       {kAll, "{request_body: /model}", "[{header: x-r}, {request_body: /model}]", "[]",
        R"({path: "/v1/models/*:"})", "[{response_body: /r}, {path: /graphql, value: graphql}]"}) {
    const ExporterPtr exporter = Loaded(rules);
    for (const char* path :
         {"/v1/models/flash:generateContent", "/graphql", "/v1/chat", "/v1/models/a/b:c"}) {
      for (const char* model : {"", "gpt-5", "a\nb"}) {
        http::Exchange exchange = Request(path, model);
        const auto before = RequestResource(*exporter, exchange);
        exchange.status = 200;
        exchange.fields.Add("x-r", "core");
        exchange.response_body.push_back({"/r", "body"});
        if (before) {
          EXPECT_EQ(*before, ExtractSignals(*exporter, exchange).resource) << rules << path << model;
        }
      }
    }
  }
}

TEST(RequestResourceTest, AnAnswerThatMayNameAnotherLeavesItOpen) {
  const ExporterPtr exporter = Loaded(kAll);
  EXPECT_EQ(RequestResource(*exporter, Request("/v1/models/flash:generateContent", "m")), "flash");
  EXPECT_EQ(RequestResource(*exporter, Request("/graphql")), "graphql");
  EXPECT_EQ(RequestResource(*exporter, Request("/v1/chat", "gpt-5")), "gpt-5");
  EXPECT_EQ(RequestResource(*exporter, Request("/v1/chat")), std::nullopt);
  EXPECT_EQ(RequestResource(*Loaded("{request_body: /model}"), Request("/v1/files")), "")
      << "known to be about none";
  EXPECT_EQ(RequestResource(*Loaded("[{header: x-r}, {request_body: /model}]"), Request("/", "m")),
            std::nullopt);
}

TEST(RequestResourceTest, ABodyIsWaitedForOnlyWhereItMayNameIt) {
  const ExporterPtr exporter = Loaded(kAll);
  EXPECT_FALSE(BodyMayNameResource(*exporter, Request("/graphql")));
  EXPECT_TRUE(BodyMayNameResource(*exporter, Request("/v1/chat")));
  EXPECT_FALSE(BodyMayNameResource(*exporter, Request("/v1/chat", "gpt-5")));
  EXPECT_FALSE(BodyMayNameResource(*Loaded("[{header: x-r}, {request_body: /model}]"), Request("/")));
}

TEST(RequestResourceTest, TheLastStarOfAPathNamesIt) {
  const ExporterPtr exporter = Loaded("{path: \"/v1/projects/*/locations/*/models/*:\"}");
  const auto of = [&](const std::string& path) { return RequestResource(*exporter, Request(path)); };
  EXPECT_EQ(of("/v1/projects/p/locations/us/models/gemini-2.5-flash:generateContent"), "gemini-2.5-flash");
  EXPECT_EQ(of("/v1/projects/p/locations/us/models/gemini-2.5-flash"), "gemini-2.5-flash");
  for (const char* path : {"/v1/projects/p/q/locations/us/models/m:x",
                           "/v1/projects//locations/us/models/m:x", "/v1/projects/p/locations/us/models/:x",
                           "/v1/projects/p/locations/us", "/v1/projects/p/locations/us/models/a/b:c"})
    EXPECT_EQ(of(path), "") << path;
}

TEST(RequestResourceTest, WhatIsLimitedIsKnownBeforeARequestIsSent) {
  struct {
    const char* exporter;
    const char* path;
    const char* model;
    std::optional<std::string> resource;
  } const requests[] = {
      {"openai", "/v1/chat/completions", "gpt-5", "gpt-5"},
      {"azure-openai", "/openai/deployments/chat/chat/completions", "", "chat"},
      {"azure-openai", "/openai/deployments/chat/chat/completions", "gpt-5", "chat"},
      {"azure-openai", "/openai/v1/responses", "gpt-5", "gpt-5"},
      {"azure-openai", "/openai/v1/files", "", std::nullopt},
      {"anthropic", "/v1/messages", "claude", "claude"},
      {"google-gemini", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "", "gemini-2.5-flash"},
      {"google-gemini", "/v1beta/openai/chat/completions", "gemini-2.5-flash", "gemini-2.5-flash"},
      {"google-vertex", "/v1/projects/p/locations/us/publishers/google/models/flash:generateContent", "",
       "flash"},
      {"google-vertex", "/v1/projects/p/locations/us/endpoints/openapi/chat/completions", "google/x",
       "google/x"},
      {"aws-bedrock", "/model/anthropic.claude-3/converse-stream", "", "anthropic.claude-3"},
      {"aws-bedrock", "/openai/v1/chat/completions", "gpt-oss", "gpt-oss"},
      {"slack", "/api/chat.postMessage", "", "chat.postMessage"},
      {"github", "/repos/o/r/issues", "", std::nullopt},
  };
  const auto catalogue = Catalogue::Embedded();
  for (const auto& [exporter, path, model, resource] : requests) {
    EXPECT_EQ(RequestResource(*catalogue->Find(exporter), Request(path, model)), resource)
        << exporter << path;
  }
}

TEST(RequestResourceTest, AFileSaysWhoNamesIt) {
  EXPECT_EQ(Info(*Loaded("[]")).resource_naming, ResourceNaming::kNone);
  EXPECT_EQ(Info(*Loaded(kAll)).resource_naming, ResourceNaming::kRequest);
  EXPECT_EQ(Info(*Loaded("{header: x-r}")).resource_naming, ResourceNaming::kAnswer);
}

}  // namespace
}  // namespace apiquota::provider
