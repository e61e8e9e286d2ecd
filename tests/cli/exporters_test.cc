#include "cli/exporters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "expose/exporter_summary.h"
#include "tests/base/temporary_directory.h"

namespace apiquota::cli {
namespace {

struct Outcome {
  int code;
  std::string out;
  std::string err;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << outcome.code << "\n" << outcome.out << "\n" << outcome.err;
}

Outcome Exporters(const ExportersOptions& options) {
  std::ostringstream out, err;
  const int code = RunExporters(options, out, err);
  return {code, out.str(), err.str()};
}

constexpr const char* kFile = R"(name: example
title: Example
docs: https://example.com/docs
hosts: [api.example.com, "*.example.net"]
base_url: https://api.example.com
credential: {header: authorization, scheme: Bearer}
detect: [x-example-*]
resource:
  - {header: x-example-resource}
  - {request_body: /model}
  - {response_body: /kind}
  - {path: /search, value: search}
quotas:
  - quota: requests
    unit: requests
    kind: fixed
    limit: {value: 100}
    remaining: [{header: x-example-remaining}, {body: /rate/left, format: integer}]
    reset: {header: x-example-reset, format: [unix-seconds, rfc3339]}
    window: {value: 1h}
    status: ratelimit
    policy: ratelimit-policy
    by_resource: {search: {window: 60s}, graph: {quota: points, unit: points}}
  - quota: "*"
    unit: requests
    units: {token: tokens}
    kind: bucket
    limit: {header: x-example-*-limit}
    window: [{header: x-example-*-window}, from-name]
throttle:
  - {status: 429, scope: primary}
  - status: [403, 503]
    path: /v1
    header: {name: x-busy}
    body: {pointer: /code, equals: slow}
    scope: overload
  - {status: 403, body: {pointer: /code, contains: many}, scope: overload}
retry_after: [retry-after-ms]
usage: {output: /usage/out}
charge:
  tokens:
    cap: max
    caps: [/max_tokens, /cap]
    times: /n
    when: start
    media: 1500
    by_quota: {"*-in": {counts: input, cached: free}}
not_modified_is_free: true
batch: {endpoint: /v1/batches, paths: [/v1/a, "/v1/m/*:go"]}
refusal: {body: '{"error": "{message}", "of": "{rule}"}'}
)";

constexpr const char* kPage = R"(Example (example)
  documentation  https://example.com/docs
  hosts          api.example.com, *.example.net
  base URL       https://api.example.com
  your base URL  http://127.0.0.1:4290/example
  credential     header authorization: Bearer …
  resource       named by header x-example-resource
                 named by /model in the request's body
                 named by /kind in the response's body
                 search for paths below /search
  recognised by  x-example-*
  recordings     0 from documentation, 0 inferred

quotas

  requests (requests; fixed)
    limit      100, as documented
    remaining  header x-example-remaining (decimal)
               body /rate/left (integer)
    reset      header x-example-reset (unix-seconds, rfc3339)
    window     1h
    status     header ratelimit (structured field)
    policy     header ratelimit-policy (structured field)
    of search  window 1m
    of graph   points (points)

  * (requests, tokens where the name has "token"; bucket)
    limit   header x-example-*-limit (decimal)
    window  header x-example-*-window (delta-seconds, duration)
            from the quota's name

throttled, by which limit and when
  primary   status 429
  overload  status 403 or 503, path below /v1, header x-busy is there, body /code is "slow"
            status 403, body /code contains "many"

  retry after  header retry-after-ms (delta-millis)

  output tokens  body /usage/out

  tokens count  input and output, a cap where it is more than the input
  of *-in       input; cached input is free
  charged       by an estimate when the request begins, which is not set right
  caps          /max_tokens, /cap
  answers       /n
  media         1500 tokens a piece
  free          answers 304
  batches       /v1/batches, of /v1/a, /v1/m/*:go

  refused as  429 {"error": "…", "of": "…"}
)";

TEST(ExportersTest, OneApiIsDescribedAsItsFileSays) {
  const TemporaryDirectory folder;
  folder.Write("example.yaml", kFile);
  const ExportersOptions options{.name = "example", .exporters_dir = folder.path()};
  EXPECT_EQ(Exporters(options), (Outcome{0, kPage, ""}));
}

TEST(ExportersTest, FilesOfADirectoryAddToTheListAndStandInForOnesOfTheirName) {
  const TemporaryDirectory folder;
  folder.Write("a.yaml", "name: aaa\ntitle: First\n");
  folder.Write("b.yaml", "name: github\ntitle: My GitHub\n");
  const auto listed = [](const std::string& dir) {
    return *expose::ReadSummaries(Exporters({.format = "json", .exporters_dir = dir}).out);
  };
  auto expected = listed("");
  const auto github =
      std::ranges::find(expected, "github", [](const auto& summary) { return summary.card.name; });
  EXPECT_GT(github->documented, 0);
  *github = {.card = {.name = "github"}, .title = "My GitHub", .docs = ""};
  expected.insert(expected.begin(), {.card = {.name = "aaa"}, .title = "First", .docs = ""});
  EXPECT_EQ(listed(folder.path()), expected);
  EXPECT_EQ(listed(folder.path()).size(), listed("").size() + 1);
}

TEST(ExportersTest, TwoFilesOfADirectoryCannotHaveOneName) {
  const TemporaryDirectory folder;
  folder.Write("a.yaml", "name: aaa\ntitle: First\n");
  folder.Write("b.yaml", "name: aaa\ntitle: Second\n");
  EXPECT_EQ(Exporters({.exporters_dir = folder.path()}).err, "apiquota exporters: " + folder.path() +
                                                                 "/b.yaml: \"aaa\" is the name of " +
                                                                 folder.path() + "/a.yaml, too\n");
}

TEST(ExportersTest, OneApiAsJsonIsItsLineOfTheList) {
  const Outcome outcome = Exporters({.name = "openai", .format = "json"});
  const auto summaries = expose::ReadSummaries(outcome.out);
  ASSERT_TRUE(summaries.has_value()) << outcome;
  ASSERT_EQ(summaries->size(), 1u);
  EXPECT_EQ(summaries->front().card.hosts, (std::vector<std::string>{"api.openai.com", "*.api.openai.com"}));
}

TEST(ExportersTest, TheGrammarStandsAlone) {
  EXPECT_TRUE(Exporters({.schema = true}).out.starts_with("{\n  \"$schema\": "));
  EXPECT_TRUE(Exporters({.keys = true}).out.starts_with("### The file\n"));
  const Outcome refused{
      2, "", "apiquota exporters: expected --schema or --keys alone: they speak of all exporter files\n"};
  EXPECT_EQ(Exporters({.schema = true, .keys = true}), refused);
  EXPECT_EQ(Exporters({.name = "github", .schema = true}), refused);
}

TEST(ExportersTest, WhatCanNotBeIsTwoAndOneSentence) {
  EXPECT_EQ(Exporters({.name = "githup"}),
            (Outcome{2, "", "apiquota exporters: unknown exporter; did you mean \"github\"?\n"}));
  EXPECT_EQ(Exporters({.format = "xml"}),
            (Outcome{2, "", "apiquota exporters: --format: expected text or json\n"}));
  EXPECT_EQ(
      Exporters({.exporters_dir = "/nowhere/at/all"}),
      (Outcome{2, "",
               "apiquota exporters: --exporters.dir: cannot read the folder: No such file or directory\n"}));
}

}  // namespace
}  // namespace apiquota::cli
