#include "expose/exporter_summary.h"

#include <gtest/gtest.h>

namespace apiquota::expose {
namespace {

const std::vector<ExporterSummary> kTwo = {{.card = {.name = "a",
                                                     .hosts = {"a.example"},
                                                     .base_url = "https://a.example",
                                                     .polled = true,
                                                     .detect = {"x-a-*"}},
                                            .title = "Api A",
                                            .docs = "https://a.example/docs",
                                            .charges_tokens = true,
                                            .refusal = true,
                                            .quotas = {"requests"}},
                                           {.card = {.name = "long",
                                                     .hosts = {"1", "2", "3", "4", "5"},
                                                     .self_hosted = true,
                                                     .not_proxyable = "requests are signed",
                                                     .credential = true},
                                            .title = "B",
                                            .docs = "",
                                            .quotas = {"q", "r", "s", "t"},
                                            .documented = 12,
                                            .inferred = 3}};

TEST(ExporterSummaryTest, SaysEachNameOfAQuotaOnce) {
  const auto exporter = provider::LoadExporter(
      "name: x\ntitle: X\ndocs: https://x.example\nhosts: [x.example]\nquotas:\n"
      "  - {quota: requests, unit: requests, kind: fixed, limit: {header: a}}\n"
      "  - {quota: \"*\", unit: requests, kind: fixed, limit: {header: a-*}}\n"
      "  - {quota: requests, unit: requests, kind: fixed, limit: {header: b}}\n"
      "charge: {tokens: {counts: input}}\nrefusal: {body: '{\"m\": \"{message}\"}'}\nnot_modified_is_free: "
      "true\n",
      "x.yaml");
  ASSERT_TRUE(exporter.has_value()) << exporter.error().message;
  EXPECT_EQ(Summarize(**exporter), (ExporterSummary{.card = {.name = "x", .hosts = {"x.example"}},
                                                    .title = "X",
                                                    .docs = "https://x.example",
                                                    .charges_tokens = true,
                                                    .refusal = true,
                                                    .not_modified_is_free = true,
                                                    .quotas = {"requests", "*"}}));
}

TEST(ExporterSummaryTest, CountsRecordingsByWhereTheyComeFrom) {
  ExporterSummary summary;
  EXPECT_TRUE(CountRecording("# source: documented: https://x.example", &summary));
  EXPECT_TRUE(CountRecording("# source: inferred from the reference", &summary));
  EXPECT_TRUE(CountRecording("# source: inferred", &summary));
  EXPECT_FALSE(CountRecording("# source: seen", &summary));
  EXPECT_FALSE(CountRecording("HTTP/1.1 200 OK", &summary));
  EXPECT_EQ(summary.documented, 1);
  EXPECT_EQ(summary.inferred, 2);
}

TEST(ExporterSummaryTest, JsonReadsBackAsItWas) {
  const std::string json = SummariesAsJson({kTwo[0]});
  EXPECT_EQ(json, R"({
  "exporters": [
    {
      "name": "a",
      "title": "Api A",
      "docs": "https://a.example/docs",
      "hosts": [
        "a.example"
      ],
      "self_hosted": false,
      "base_url": "https://a.example",
      "not_proxyable": "",
      "credential": false,
      "polled": true,
      "detect": [
        "x-a-*"
      ],
      "charges_tokens": true,
      "refusal": true,
      "not_modified_is_free": false,
      "quotas": [
        "requests"
      ],
      "recordings": {
        "documented": 0,
        "inferred": 0
      }
    }
  ]
}
)");
  EXPECT_EQ(*ReadSummaries(SummariesAsJson(kTwo)), kTwo);
  for (const auto* text : {"", "{}", "{\"exporters\": [{\"name\": 5}]}"}) {
    EXPECT_FALSE(ReadSummaries(text).has_value()) << text;
  }
}

TEST(ExporterSummaryTest, TheTextIsAlignedAndEndsWithASum) {
  EXPECT_EQ(SummariesAsText(kTwo),
            "a     Api A  a.example        requests     0+0   https://a.example/docs\n"
            "long  B      1, 2, 3, 2 more  q, r, s, t  12+3\n"
            "2 exporters, held to 12 recordings from documentation and 3 inferred ones\n");
}

}  // namespace
}  // namespace apiquota::expose
