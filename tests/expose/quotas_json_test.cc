#include "expose/quotas_json.h"

#include <gtest/gtest.h>

#include "tests/expose/golden.h"
#include "tests/expose/sample_page.h"

namespace apiquota::expose {
namespace {

TEST(QuotasJsonTest, AnEmptyLedgerIsAnEmptyList) {
  quota::Snapshot snapshot;
  snapshot.at = SampleTime(0.5);
  EXPECT_EQ(QuotasJson(snapshot), R"({
  "at": 1700000000.5,
  "at_time": "2023-11-14T22:13:20Z",
  "dropped_total": 0,
  "quotas": []
}
)");
}

// Every kind of quota, valid and expired. APIQUOTA_GOLDEN=write renews the file; then read the difference.
TEST(QuotasJsonTest, TheAnswerIsTheGoldenOne) {
  EXPECT_TRUE(IsGolden("quotas.json", QuotasJson(SampleSnapshot())));
}

TEST(QuotasJsonTest, ANameThatIsNoTextCannotBreakTheAnswer) {
  quota::Snapshot snapshot = SampleSnapshot();
  snapshot.quotas.resize(1);
  snapshot.quotas[0].id.resource = "a\xFF";
  EXPECT_NE(QuotasJson(snapshot).find("\"resource\": \"a\xEF\xBF\xBD\""), std::string::npos);
}

TEST(ApisJsonTest, TheApisAsConfiguredWithoutSecrets) {
  EXPECT_EQ(ApisJson(SampleApis(), {}), R"({
  "apis": [
    {
      "name": "github",
      "exporter": "github",
      "base_url": "https://api.github.com",
      "route": "/github",
      "keys": [
        "ci"
      ],
      "labels": {},
      "unread_limit_headers": [
        "x-ratelimit-cost",
        "x-ratelimit-pool"
      ],
      "polls": []
    },
    {
      "name": "openai-prod",
      "exporter": "openai",
      "base_url": "https://api.openai.com",
      "route": "/openai",
      "keys": [],
      "labels": {
        "cost-center": "4711",
        "team": "research"
      },
      "unread_limit_headers": [],
      "polls": []
    }
  ]
}
)");
}

// APIQUOTA_GOLDEN=write renews the file; then read the difference.
TEST(ApisJsonTest, EachApiTellsHowItsPollsGo) {
  std::vector<ApiFacts> apis = SampleApis();
  apis.push_back({"slow-api", "generic", "http://10.0.0.1", "/slow", {}, {}});
  EXPECT_TRUE(IsGolden("apis.json", ApisJson(apis, SamplePolls())));
}

}  // namespace
}  // namespace apiquota::expose
