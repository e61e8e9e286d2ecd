// What an exporter file says in the right words and can't mean.
#include <gtest/gtest.h>

#include "provider/exporter.h"

namespace apiquota::provider {
namespace {

std::string ErrorOf(const std::string& rest) {
  const auto loaded = LoadExporter("name: x\ntitle: X\n" + rest, "x.yaml");
  return loaded ? "" : loaded.error().message;
}

TEST(ExporterMeaningTest, MeaninglessWordsAreRefusedWithTheirPlace) {
  const auto rule = [](const std::string& keys) { return ErrorOf("quotas:\n  - {" + keys + "}\n"); };
  const auto fixed = [&](const std::string& keys) {
    return rule("quota: a, unit: usd, kind: fixed, " + keys);
  };
  EXPECT_EQ(fixed("limit: {value: -1}"), "x.yaml:4:55: expected a limit of more than 0");
  EXPECT_EQ(fixed("limit: {value: 0}"), "x.yaml:4:55: expected a limit of more than 0");
  EXPECT_EQ(fixed("limit: {value: 9223372036854775807}"),
            "x.yaml:4:55: expected a quantity: what is unlimited has no constant");
  EXPECT_EQ(fixed("limit: {value: 5}, units: {\"\": usd}"),
            "x.yaml:4:71: expected a word that the quota's name holds");
  EXPECT_EQ(fixed("used: {value: -0.5}"), "x.yaml:4:54: expected 0 or more: an amount can't be negative");
  EXPECT_EQ(fixed("remaining: {value: -3}"), "x.yaml:4:59: expected 0 or more: an amount can't be negative");
  EXPECT_EQ(fixed("used: {value: 1}, reset: {value: 5}"), "x.yaml:4:73: a reset can't be a constant");
  EXPECT_EQ(fixed("limit: {value: 1}, window: {value: 0s}"),
            "x.yaml:4:75: expected a duration of more than 0, such as 60s");
  EXPECT_EQ(fixed("limit: {value: 1}, by_resource: {b: {window: 0s}}"),
            "x.yaml:4:85: expected a duration of more than 0, such as 60s");
  EXPECT_EQ(fixed("limit: {value: 1}, window: derived"),
            "x.yaml:4:67: only a bucket's window follows from how fast it fills");
  EXPECT_EQ(fixed("limit: {value: 1}, window: {header: a, fill_rate: b}"),
            "x.yaml:4:67: only a bucket's window follows from how fast it fills");
  EXPECT_EQ(rule("quota: a, unit: usd, kind: balance, remaining: {header: a}, window: {value: 1d}"),
            "x.yaml:4:74: a balance never comes back by itself");
  EXPECT_EQ(fixed("window: {value: 60s}"),
            "x.yaml:4:5: expected at least one of limit, remaining, used, reset, policy and status");
  EXPECT_EQ(ErrorOf("retry_after: {value: 5}\n"),
            "x.yaml:3:22: a time to wait can't be a constant: nobody said it");
}

TEST(ExporterMeaningTest, NamesAreSeenAndUnitsAreOfTheList) {
  const auto quota = [](const std::string& name, const std::string& unit) {
    return ErrorOf("quotas:\n  - {quota: " + name + ", unit: " + unit +
                   ", kind: fixed, limit: {header: a}}\n");
  };
  const std::string name = "expected a name of 1 to 128 printable characters";
  EXPECT_EQ(quota("a", "requests"), "");
  EXPECT_EQ(quota("\"\"", "requests"), "x.yaml:4:13: " + name);
  EXPECT_EQ(quota("\" \"", "requests"), "x.yaml:4:13: " + name);
  EXPECT_EQ(quota("\"a\\tb\"", "requests"), "x.yaml:4:13: " + name);
  EXPECT_EQ(quota("é", "requests"), "");
  EXPECT_EQ(quota(std::string(129, 'a'), "requests"), "x.yaml:4:13: " + name);
  EXPECT_TRUE(quota("a", "request").starts_with("x.yaml:4:22: expected one of requests, tokens, "));
  EXPECT_TRUE(quota("a", "request").ends_with("; did you mean \"requests\"?"));
  EXPECT_TRUE(quota("a", "\"\"").starts_with("x.yaml:4:22: expected one of requests, tokens, "));
  EXPECT_EQ(ErrorOf("resource: {path: /a, value: \"\"}\n"), "x.yaml:3:29: " + name);
  EXPECT_EQ(ErrorOf("resource: {path: a, value: b}\n"),
            "x.yaml:3:18: expected how a path begins, such as /v1/models");
  EXPECT_EQ(ErrorOf("hosts: [\"https://a.example\"]\n"), "x.yaml:3:9: expected a host name in lower case");
  EXPECT_EQ(ErrorOf("hosts: [\"*\"]\n"), "x.yaml:3:9: expected a host name in lower case");
  EXPECT_EQ(ErrorOf("ignore: [\"\"]\n"),
            "x.yaml:3:10: expected a header name in lower case, with at most one *");
  EXPECT_EQ(ErrorOf("throttle: [{status: 429, body: {pointer: /a, contains: \"\"}, scope: spend}]\n"),
            "x.yaml:3:56: expected printable text, and some of it");
  EXPECT_EQ(LoadExporter("name: x\ntitle: \"\"\n", "x.yaml").error().message,
            "x.yaml:2:8: expected printable text, and some of it");
}

TEST(ExporterMeaningTest, OneQuotaComesBackInOneWay) {
  const auto two = [](const std::string& second) {
    return ErrorOf("quotas:\n  - {quota: a, unit: usd, kind: bucket, limit: {header: a}}\n  - {" + second +
                   ", limit: {header: b}}\n");
  };
  const std::string error =
      "x.yaml:5:33: expected the kind that an earlier rule gives this quota: it comes back in one way";
  EXPECT_EQ(two("quota: a, unit: usd, kind: bucket"), "");
  EXPECT_EQ(two("quota: b, unit: usd, kind: fixed"), "");
  EXPECT_EQ(two("quota: a, unit: usd, kind: fixed"), error);
  EXPECT_EQ(two("quota: a, unit: usd, kind: unknown"), error);
  EXPECT_EQ(two("quota: b, unit: usd, kind: fixed, by_resource: {r: {quota: c}}"), "");
  EXPECT_EQ(two("quota: b, unit: usd, kind: fixed, by_resource: {r: {quota: a}}"), error)
      << "of some resource";
}

TEST(ExporterMeaningTest, WhatIsServedIsNoRefusalByItsStatusAlone) {
  EXPECT_EQ(
      ErrorOf("throttle: [{status: [429, 200], scope: primary}]\n"),
      "x.yaml:3:21: expected a path, header, body or stream beside a status that is no refusal by itself");
  EXPECT_EQ(ErrorOf("throttle: [{status: 200, stream: {pointer: /error}, scope: primary}]\n"), "");
}

TEST(ExporterMeaningTest, ABatchHasAnEndpointAndWholePathsOfCalls) {
  EXPECT_EQ(ErrorOf("batch: {endpoint: /b, paths: /a}\n"), "");
  EXPECT_EQ(ErrorOf("batch: {endpoint: /b}\n"), "x.yaml:3:8: \"paths\" is missing here");
  EXPECT_EQ(ErrorOf("batch: {endpoint: /b, paths: []}\n"), "x.yaml:3:30: expected at least one path");
  EXPECT_EQ(ErrorOf("batch: {endpoint: /b, paths: [/a, /*/b/*]}\n"),
            "x.yaml:3:35: expected a path with at most one *");
  EXPECT_EQ(ErrorOf("batch: {endpoint: /b, paths: a}\n"),
            "x.yaml:3:30: expected how a path begins, such as /v1/models");
}

TEST(ExporterMeaningTest, ABatchTakesPostsByTheirWholePath) {
  const BatchRule batch{"/b", {"/v1/chat", "/v1/models/*:go"}};
  const auto takes = [&](const std::string& method, const std::string& path,
                         const std::string& described = "") {
    http::Exchange request;
    request.method = method;
    request.path = path;
    request.described_path = described;
    return Takes(batch, request);
  };
  EXPECT_TRUE(takes("POST", "/v1/chat"));
  EXPECT_TRUE(takes("POST", "/mine/v1/chat", "/v1/chat")) << "below another base URL";
  EXPECT_TRUE(takes("POST", "/v1/models/m:go"));
  EXPECT_FALSE(takes("GET", "/v1/chat"));
  EXPECT_FALSE(takes("POST", "/v1/chat/4711"));
  EXPECT_FALSE(takes("POST", "/v1/models/:go"));
  EXPECT_FALSE(takes("POST", "/v1/models/m:gone"));
}

}  // namespace
}  // namespace apiquota::provider
