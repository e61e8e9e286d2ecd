#include "provider/request_resource.h"

#include <gtest/gtest.h>

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

TEST(RequestResourceTest, AFileSaysWhoNamesIt) {
  EXPECT_EQ(Info(*Loaded("[]")).resource_naming, ResourceNaming::kNone);
  EXPECT_EQ(Info(*Loaded(kAll)).resource_naming, ResourceNaming::kRequest);
  EXPECT_EQ(Info(*Loaded("{header: x-r}")).resource_naming, ResourceNaming::kAnswer);
}

}  // namespace
}  // namespace apiquota::provider
