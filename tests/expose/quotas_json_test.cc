#include "expose/quotas_json.h"

#include <gtest/gtest.h>

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

TEST(QuotasJsonTest, AValidQuotaAndAnExpiredOneWhole) {
  quota::Snapshot snapshot = SampleSnapshot();
  snapshot.quotas.resize(2);
  EXPECT_EQ(QuotasJson(snapshot), R"({
  "at": 1700000000.0,
  "at_time": "2023-11-14T22:13:20Z",
  "dropped_total": 3,
  "quotas": [
    {
      "api": "github",
      "key": "ci",
      "resource": "core",
      "quota": "requests",
      "unit": "requests",
      "exporter": "github",
      "kind": "fixed",
      "valid": true,
      "limit": 5000,
      "limit_assumed": false,
      "remaining": 400,
      "used": 4600,
      "used_ratio": 0.92,
      "reset_at": 1700001800.25,
      "reset_at_time": "2023-11-14T22:43:20Z",
      "resets_in_seconds": 1800.25,
      "window_seconds": 3600,
      "policy": "core",
      "derived": [],
      "observed_at": 1699999997.5,
      "observed_at_time": "2023-11-14T22:13:17Z",
      "exhaustion_at": 1700000900.0,
      "exhaustion_at_time": "2023-11-14T22:28:20Z",
      "consumed_total": 4321,
      "windows_exhausted_total": 1,
      "limit_changes_total": 1
    },
    {
      "api": "github",
      "key": "ci",
      "resource": "search",
      "quota": "requests",
      "unit": "requests",
      "exporter": "github",
      "kind": "fixed",
      "valid": false,
      "limit": 30,
      "limit_assumed": true,
      "remaining": null,
      "used": null,
      "used_ratio": null,
      "reset_at": null,
      "reset_at_time": null,
      "resets_in_seconds": null,
      "window_seconds": 60,
      "policy": null,
      "derived": [],
      "observed_at": 1699999997.5,
      "observed_at_time": "2023-11-14T22:13:17Z",
      "exhaustion_at": null,
      "exhaustion_at_time": null,
      "consumed_total": 40,
      "windows_exhausted_total": 0,
      "limit_changes_total": 0
    }
  ]
}
)");
}

TEST(QuotasJsonTest, WhatWasComputedIsNamed) {
  quota::Snapshot snapshot = SampleSnapshot();
  snapshot.quotas = {snapshot.quotas[2]};
  EXPECT_NE(QuotasJson(snapshot).find("\"derived\": [\n        \"used\",\n        \"window\"\n      ]"),
            std::string::npos);
}

TEST(QuotasJsonTest, ANameThatIsNoTextCannotBreakTheAnswer) {
  quota::Snapshot snapshot = SampleSnapshot();
  snapshot.quotas.resize(1);
  snapshot.quotas[0].id.resource = "a\xFF";
  EXPECT_NE(QuotasJson(snapshot).find("\"resource\": \"a\xEF\xBF\xBD\""), std::string::npos);
}

TEST(ApisJsonTest, TheApisAsConfiguredWithoutSecrets) {
  EXPECT_EQ(ApisJson(SampleApis()), R"({
  "apis": [
    {
      "name": "github",
      "exporter": "github",
      "base_url": "https://api.github.com",
      "route": "/github",
      "keys": [
        "ci"
      ],
      "labels": {}
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
      }
    }
  ]
}
)");
}

}  // namespace
}  // namespace apiquota::expose
