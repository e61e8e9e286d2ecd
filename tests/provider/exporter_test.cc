#include "provider/exporter.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "provider/catalogue.h"
#include "provider/conditions.h"
#include "provider/exporter_rules.h"
#include "provider/header_index.h"
#include "tests/source_dir.h"

namespace apiquota::provider {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "name: x\ntitle: X\n";

std::string ErrorOf(const std::string& rest) {
  const auto loaded = LoadExporter(std::string(kHead) + rest, "x.yaml");
  return loaded ? "" : loaded.error().message;
}

// The pointers wanted from the JSON body of such a response.
std::vector<std::string> Wanted(const Exporter& exporter, int status, const std::string& state = {},
                                const std::string& path = "/v1/x") {
  http::Exchange exchange;
  exchange.status = status;
  exchange.path = path;
  if (!state.empty()) exchange.fields.Add("X-Shop-State", state);
  uint64_t bits = 0;
  for (const BodyAsk& ask : exporter.body_asks) {
    if (!ask.stream && Holds(ask.when, exchange)) bits |= ask.pointers;
  }
  std::vector<std::string> pointers;
  for (size_t i = 0; i < exporter.body_pointers.size(); ++i) {
    if ((bits >> i & 1) != 0) pointers.push_back(exporter.body_pointers[i].text);
  }
  return pointers;
}

TEST(ExporterTest, EveryEmbeddedFileLoads) {
  const auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value()) << catalogue.error().message;
  std::set<std::string> files, names;
  for (const auto& entry : fs::directory_iterator(fs::path(SourceDir()) / "exporters")) {
    if (entry.path().extension() == ".yaml") files.insert(entry.path().stem());
  }
  for (const ExporterPtr& exporter : catalogue->All()) names.insert(Info(*exporter).name);
  EXPECT_EQ(names, files) << "a file is called after the API's name";
  EXPECT_TRUE(names.contains("generic"));
}

TEST(ExporterTest, AFileBecomesRules) {
  const auto loaded = LoadExporter(R"(name: shop
title: Shop
docs: https://shop.example/docs
hosts: [api.shop.example, "*.shop.example"]
base_url: https://api.shop.example
credential: {header: authorization, scheme: Bearer}
resource: [{request_body: /model}, {path: /graphql, value: graphql}]
detect: [x-shop-*]
quotas:
  - quota: calls
    unit: requests
    kind: bucket
    used: {header: x-shop-calls, format: pair}
    reset: [{header: x-shop-reset, format: [unix-seconds, delta-seconds]}, {body: /reset, format: rfc3339}]
    limit: {value: 100}
    window: [{header: x-shop-window}, derived]
    by_resource: {graphql: {quota: points, unit: points}, search: {window: 60s}}
throttle:
  - {status: [429, 430], path: /v1, header: {name: x-shop-state, equals: "red"},
     body: {pointer: /code}, scope: spend}
retry_after: [retry-after-ms, retry-after]
ignore: [x-shop-colour]
merge_equal: true
)",
                                   "shop.yaml");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  const Exporter& exporter = **loaded;
  ASSERT_EQ(exporter.info.request_pointers.size(), 1u);
  EXPECT_EQ(exporter.info.request_pointers[0].text, "/model");
  EXPECT_EQ(exporter.info.throttles,
            (std::vector<Throttle>{{ThrottleScope::kSpend, ThrottleSignal::kBody, ""}}));
  ASSERT_EQ(exporter.quotas.size(), 1u);
  const QuotaRule& rule = exporter.quotas[0];
  using From = FieldSource::From;
  EXPECT_EQ(rule.Sources(SignalField::kUsed),
            (std::vector<FieldSource>{{From::kHeader, "x-shop-calls", {Format::kPair}, 0}}));
  EXPECT_EQ(rule.Sources(SignalField::kReset),
            (std::vector<FieldSource>{
                {From::kHeader, "x-shop-reset", {Format::kUnixSeconds, Format::kDeltaSeconds}, 0},
                {From::kBody, "/reset", {Format::kRfc3339}, 0}}));
  EXPECT_EQ(rule.Sources(SignalField::kLimit), (std::vector<FieldSource>{{From::kConstant, "", {}, 100}}));
  EXPECT_EQ(rule.window_rule, WindowRule::kDerived);
  EXPECT_EQ(rule.by_resource, (std::vector<ResourceException>{{"graphql", "points", "points", {}},
                                                              {"search", "calls", "requests", 60}}));
  EXPECT_EQ(exporter.throttles[0].ConditionCount(), 4u);
  EXPECT_EQ(exporter.retry_after[0].formats, std::vector<Format>{Format::kDeltaMillis});
  EXPECT_EQ(Wanted(exporter, 200), std::vector<std::string>{"/reset"});
  EXPECT_EQ(Wanted(exporter, 430, "red"), (std::vector<std::string>{"/reset", "/code"}));
  EXPECT_EQ(Wanted(exporter, 430, "blue"), std::vector<std::string>{"/reset"});
}

TEST(ExporterTest, BodiesAreReadOnlyWhereARuleAsks) {
  const auto loaded = LoadExporter(R"(name: demo
title: Demo
quotas:
  - {quota: requests, unit: requests, kind: fixed, when: {path: /v1/limits, status: [200, 203]},
     resource: "*", remaining: {body: /resources/*/left}}
throttle:
  - {status: 429, scope: primary}
  - {status: 200, path: /v1/graphql, body: {pointer: /errors/*/code, equals: LIMITED}, scope: primary}
  - {status: 200, stream: {pointer: /error/type}, scope: overload}
retry_after: [retry-after, {body: /message, after: "again in ", format: duration}]
usage:
  input: [/usage/prompt, /usage/in]
  cached_input: {pointer: /usage/cached, within: input}
)",
                                   "demo.yaml");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  const Exporter& exporter = **loaded;
  const std::vector<std::string> usage = {"/usage/prompt", "/usage/in", "/usage/cached"};
  const auto with_usage = [&](std::vector<std::string> pointers) {
    pointers.insert(pointers.end(), usage.begin(), usage.end());
    return pointers;
  };
  EXPECT_EQ(Wanted(exporter, 200, {}, "/v1/limits/all"), with_usage({"/resources/*/left"}));
  EXPECT_EQ(Wanted(exporter, 203, {}, "/v1/limits"), std::vector<std::string>{"/resources/*/left"});
  EXPECT_EQ(Wanted(exporter, 200, {}, "/v1/graphql"), with_usage({"/message", "/errors/*/code"}));
  EXPECT_EQ(Wanted(exporter, 200, {}, "/v1/chat"), usage);
  EXPECT_EQ(Wanted(exporter, 429, {}, "/v1/chat"), std::vector<std::string>{"/message"});
  EXPECT_EQ(Wanted(exporter, 404, {}, "/v1/chat"), std::vector<std::string>{});
  EXPECT_EQ(exporter.info.throttles.back(),
            (Throttle{ThrottleScope::kOverload, ThrottleSignal::kStream, ""}));
  EXPECT_EQ(exporter.usage[1].within, TokenType::kInput);
}

TEST(ExporterTest, MistakesAreNamedWithTheirPlace) {
  EXPECT_EQ(ErrorOf("hots: [a]\n"), "x.yaml:3:1: unknown key \"hots\"; did you mean \"hosts\"?");
  EXPECT_EQ(ErrorOf("quotas:\n  - {quota: a, unit: usd}\n"), "x.yaml:4:5: \"kind\" is missing here");
  EXPECT_EQ(ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: buket}\n"),
            "x.yaml:4:33: expected one of fixed, sliding, bucket, concurrency, balance, unknown; did "
            "you mean "
            "\"bucket\"?");
  EXPECT_EQ(ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: fixed, limit: {header: X-Limit}}\n"),
            "x.yaml:4:56: expected a header name in lower case, with at most one *");
  EXPECT_EQ(ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: fixed, reset: {header: x-reset}}\n"),
            "x.yaml:4:47: \"format\" is missing here: a reset is said in too many ways to guess");
  EXPECT_EQ(
      ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: fixed, limit: {header: x, format: duration}}\n"),
      "x.yaml:4:67: \"duration\" can't be the format of limit");
  EXPECT_EQ(ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: fixed, limit: {header: x, body: /y}}\n"),
            "x.yaml:4:47: expected exactly one of header, body and value");
  EXPECT_EQ(ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: fixed, limit: {header: x-*}}\n"),
            "x.yaml:4:5: the quota's name and all its headers hold a * or none does");
  const auto body = [](const std::string& pointer) {
    return ErrorOf("quotas:\n  - {quota: \"*\", unit: usd, kind: fixed, limit: {body: \"" + pointer +
                   "\"}}\n");
  };
  EXPECT_EQ(body("/*/*/*/*/*/n"), "x.yaml:4:56: expected at most 4 *");
  EXPECT_EQ(body("/*=id/*/n"),
            "x.yaml:4:56: expected the last * to be named, and a value below it: /list/*=member/value");
  EXPECT_EQ(body("/list/*=id"),
            "x.yaml:4:56: expected the last * to be named, and a value below it: /list/*=member/value");
  EXPECT_EQ(ErrorOf("throttle:\n  - {status: 429, body: {pointer: \"/list/*=id/code\"}, scope: primary}\n"),
            "x.yaml:4:35: *=member names quotas: expected * alone, for any element");
  EXPECT_EQ(ErrorOf("credential: {query: a, header: b}\n"),
            "x.yaml:3:21: a parameter stands alone, without header or scheme");
  EXPECT_EQ(ErrorOf("credential: {query: \"a=b\"}\n"),
            "x.yaml:3:21: expected a parameter's name, not escaped");
  EXPECT_EQ(ErrorOf("credential: {header: a, part: user}\n"),
            "x.yaml:3:31: only Basic has a user and a password");
  EXPECT_EQ(ErrorOf("credential: {header: a, claim: b}\n"),
            "x.yaml:3:32: only Bearer carries a JSON Web Token");
  EXPECT_EQ(ErrorOf("credential: {header: a, except: b}\n"), "x.yaml:3:33: expected part beside it");
  EXPECT_EQ(ErrorOf("credential: {header: a, scheme: Basic, part: user}\n"),
            "x.yaml:3:13: expected a rule without part before it: that is how a key is sent");
  EXPECT_EQ(ErrorOf("links: [x-url, x-url-*]\n"), "x.yaml:3:16: expected one header, without *");
  EXPECT_EQ(ErrorOf("throttle:\n  - {status: 1000, scope: primary}\n"),
            "x.yaml:4:14: expected a whole number from 100 to 999");
  EXPECT_EQ(ErrorOf("throttle:\n  - {status: 429, body: {pointer: code}, scope: primary}\n"),
            "x.yaml:4:35: expected a JSON pointer such as /error/code");
  for (const std::string pointer : {"/a~2", "/a~", "/~~0"}) {
    EXPECT_EQ(ErrorOf("throttle:\n  - {status: 429, body: {pointer: " + pointer + "}, scope: primary}\n"),
              "x.yaml:4:35: expected ~0 or ~1 where a JSON pointer has a ~: they stand for ~ and /");
  }
  EXPECT_EQ(ErrorOf("throttle:\n  - {status: 429, body: {pointer: /a~1b~0}, scope: primary}\n"), "");
  EXPECT_EQ(ErrorOf("usage: {inputs: /a}\n"), "x.yaml:3:9: unknown key \"inputs\"; did you mean \"input\"?");
  EXPECT_EQ(ErrorOf("usage: {input: {pointer: /a, within: input}}\n"),
            "x.yaml:3:38: a type can't be counted within itself");
  EXPECT_EQ(ErrorOf("usage: {}\n"), "x.yaml:3:8: expected at least one type of tokens: input, output, …");
  EXPECT_EQ(ErrorOf("base_url: http://x.example\n"), "x.yaml:3:11: expected a URL with https://");
  EXPECT_EQ(LoadExporter("title: X\n", "x.yaml").error().message, "x.yaml:1:1: \"name\" is missing here");
  EXPECT_EQ(LoadExporter("name: Big One\ntitle: X\n", "x.yaml").error().message,
            "x.yaml:1:7: expected a name of lower-case letters, digits and -");
}

TEST(ExporterTest, TheReadmesExampleLoads) {
  std::ifstream file(SourceDir() + "/exporters/README.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const size_t begin = text.find("```yaml\n") + 8;
  const auto loaded = LoadExporter(text.substr(begin, text.find("```", begin) - begin), "README.md");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(Info(**loaded).name, "example");
}

TEST(ExporterTest, AddingAFileOverridesTheExporterOfItsName) {
  auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value());
  ASSERT_TRUE(catalogue->Add("name: openai\ntitle: Mine\n", "mine.yaml").has_value());
  EXPECT_EQ(Info(*catalogue->Find("openai")).title, "Mine");
  EXPECT_EQ(catalogue->Find("nobody"), nullptr);
}

TEST(ExporterTest, WhatCantBeProxiedSaysWhy) {
  const auto load = [](const std::string& keys) {
    return LoadExporter("name: x\ntitle: X\n" + keys, "x.yaml");
  };
  EXPECT_EQ(Info(**load("proxyable: false\nwhy: signed\n")).not_proxyable, "signed");
  EXPECT_EQ(Info(**load("proxyable: true\n")).not_proxyable, "");
  EXPECT_EQ(load("proxyable: false\n").error().message,
            "x.yaml:3:12: expected \"why\" beside it, for people");
  EXPECT_EQ(load("why: signed\n").error().message,
            "x.yaml:3:6: only an API with \"proxyable: false\" says why");
}

TEST(HeaderIndexTest, ExactNamesWinOverPatternsInAnyCase) {
  const auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value());
  const ExporterPtr openai = catalogue->Find("openai");
  EXPECT_EQ(openai->index->Find("X-RateLimit-Limit-Requests").star, "");
  EXPECT_EQ(openai->index->Find("X-RateLimit-Limit-Requests").targets.size(), 1u);
  EXPECT_EQ(openai->index->Find("X-RateLimit-Limit-Input-Images").star, "Input-Images");
  EXPECT_TRUE(openai->index->Find("x-ratelimit-limit-").targets.empty());
  EXPECT_TRUE(openai->index->Find("content-type").targets.empty());
}

}  // namespace
}  // namespace apiquota::provider
