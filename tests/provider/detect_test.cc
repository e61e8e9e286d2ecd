#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "provider/catalogue.h"

namespace apiquota::provider {
namespace {

http::Fields HeadersNamed(std::initializer_list<std::string_view> names) {
  http::Fields fields;
  for (const std::string_view name : names) fields.Add(name, "1");
  return fields;
}

std::string Detected(const Catalogue& catalogue, std::string_view host, const http::Fields& fields) {
  const ExporterPtr found = catalogue.Detect(host, fields);
  return found == nullptr ? "none" : Info(*found).name;
}

std::string Detected(std::string_view host, std::initializer_list<std::string_view> names) {
  return Detected(Catalogue::Embedded().value(), host, HeadersNamed(names));
}

TEST(DetectTest, TheHostDecidesThenHeadersThenGeneric) {
  const auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value());
  const auto detected = [&](std::string_view host, const http::Fields& fields) {
    return Info(*catalogue->Detect(host, fields)).name;
  };
  const http::Fields openai = HeadersNamed({"X-RateLimit-Limit-Requests", "openai-processing-ms"});
  EXPECT_EQ(detected("api.github.com", openai), "github");
  EXPECT_EQ(detected("", openai), "openai");
  EXPECT_EQ(detected("localhost", openai), "openai");
  EXPECT_EQ(detected("127.0.0.1", openai), "openai");
  EXPECT_EQ(detected("api.somebody.example", openai), "openai")
      << "a gateway's host, and OpenAI's own header";
  EXPECT_EQ(detected("", HeadersNamed({"anthropic-ratelimit-unified-5h-utilization"})), "anthropic");
  EXPECT_EQ(detected("", HeadersNamed({"x-ratelimit-limit", "x-github-request-id"})), "github");
  EXPECT_EQ(detected("", HeadersNamed({"x-ratelimit-limit"})), "generic");
}

TEST(DetectTest, AHostsNameIsTheSameWithItsLastDot) {
  EXPECT_EQ(Detected("api.github.com.", {}), "github");
  EXPECT_EQ(Detected("acme.zendesk.com.", {}), "zendesk");
  EXPECT_EQ(Detected("api.github.com..", {}), "generic");
  EXPECT_EQ(Detected("api.github.com.evil.example", {}), "generic");
}

TEST(DetectTest, TheMostDescribedHeadersWinAmongThoseThatHint) {
  const auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value());
  const auto detected = [&](std::string_view host, std::initializer_list<std::string_view> names) {
    return Info(*catalogue->Detect(host, HeadersNamed(names))).name;
  };
  EXPECT_EQ(detected("", {"x-ratelimit-limit-requests", "x-ratelimit-renewalperiod-requests",
                          "x-ratelimit-remaining-requests"}),
            "azure-openai")
      << "OpenAI's names too, but one is Azure's own";
  EXPECT_EQ(detected("jira.example.com", {"x-ratelimit-limit", "x-ratelimit-fillrate"}), "jira-data-center")
      << "an exporter without hosts is found under any";
  EXPECT_EQ(detected("sentry.example.com", {"x-sentry-rate-limits"}), "sentry") << "self_hosted";
  EXPECT_EQ(detected("trello.example.com", {"x-rate-limit-api-key-max"}), "trello");
  EXPECT_EQ(detected("", {"x-envoy-upstream-service-time", "ratelimit-limit", "ratelimit-observed"}),
            "gitlab");
}

TEST(DetectTest, ExactHostsWinOverPatternsAndLongPatternsOverShort) {
  Catalogue catalogue;
  const auto add = [&](const std::string& name, const std::string& hosts) {
    ASSERT_TRUE(catalogue.Add("name: " + name + "\ntitle: X\nhosts: [" + hosts + "]\n", name).has_value());
  };
  add("any", "\"*.example.com\"");
  add("exact", "api.example.com");
  add("long", "\"bedrock.*.example.com\"");
  const auto detected = [&](std::string_view host) {
    const ExporterPtr found = catalogue.Detect(host, {});
    return found == nullptr ? "none" : Info(*found).name;
  };
  EXPECT_EQ(detected("api.example.com"), "exact");
  EXPECT_EQ(detected("x.example.com"), "any");
  EXPECT_EQ(detected("bedrock.eu.example.com"), "long");
  EXPECT_EQ(detected("bedrock..example.com"), "any") << "a * stands for at least one character";
  EXPECT_EQ(detected("example.com"), "none");
}

TEST(DetectTest, RegionalGovernmentAndTestHostsAreTheApisOwn) {
  const Catalogue catalogue = Catalogue::Embedded().value();
  constexpr std::pair<std::string_view, std::string_view> kHosts[] = {
      {"us.api.openai.com", "openai"},
      {"example.openai.azure.us", "azure-openai"},
      {"swedencentral.api.cognitive.microsoft.com", "azure-openai"},
      {"bedrock-runtime.us-gov-west-1.amazonaws.com", "aws-bedrock"},
      {"bedrock-runtime-fips.us-east-1.amazonaws.com", "aws-bedrock"},
      {"bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws-bedrock"},
      {"bedrock-mantle.eu-west-1.api.aws", "aws-bedrock"},
      {"aiplatform.eu.rep.googleapis.com", "google-vertex"},
      {"europe-west4-aiplatform.googleapis.com", "google-vertex"},
      {"sheets.googleapis.com", "google-workspace"},
      {"eu-west-1.api.x.ai", "xai"},
      {"eu.openrouter.ai", "openrouter"},
      {"api.us.elevenlabs.io", "elevenlabs"},
      {"api.octocorp.ghe.com", "github"},
      {"tenant.gitlab-dedicated.com", "gitlab"},
      {"api.us2.ddog-gov.com", "datadog"},
      {"http-intake.logs.us5.datadoghq.com", "datadog"},
      {"tenant.okta-gov.com", "okta"},
      {"tenant.us.auth0.com", "auth0"},
      {"graphql.eu.contentful.com", "contentful"},
      {"dod-graph.microsoft.us", "microsoft-graph"},
      {"tenant.sharepoint.us", "sharepoint"},
      {"org.crm.appsplatform.us", "dynamics-365"},
      {"management.chinacloudapi.cn", "azure-resource-manager"},
      {"sandbox.sellingpartnerapi-eu.amazon.com", "amazon-sp-api"},
      {"qualysapi.qg1.apps.qualys.ca", "qualys"},
      {"company.freshservice.com", "freshdesk"},
      {"instance.servicenowservices.com", "servicenow"},
      {"org.my.salesforce.com", "salesforce"},
      {"workspace.slack.com", "slack"},
      {"slack-gov.com", "slack"},
      {"api-eu.zoom.us", "zoom"},
      {"api.zoomgov.com", "zoom"},
      {"files.stripe.com", "stripe"},
      {"events.eu.pagerduty.com", "pagerduty"},
      {"app.launchdarkly.us", "launchdarkly"},
      {"testnet.binance.vision", "binance"},
      {"apiz.ebay.com", "ebay"},
      {"api.figma-gov.com", "figma"},
  };
  for (const auto& [host, name] : kHosts) EXPECT_EQ(Detected(catalogue, host, {}), name) << host;
}

TEST(DetectTest, UnderAnUnknownHostAHeaderThatOnlyOneApiSendsTells) {
  constexpr std::string_view kHost = "cdn.customer.example";
  EXPECT_EQ(Detected(kHost, {"x-contentful-ratelimit-reset"}), "contentful");
  EXPECT_EQ(Detected(kHost, {"x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset",
                             "x-okta-request-id"}),
            "okta");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-ratelimit-remaining", "x-auth0-requestid"}), "auth0");
  EXPECT_EQ(Detected(kHost, {"auth0-client-quota-limit"}), "auth0");
  EXPECT_EQ(Detected(kHost, {"x-rate-limit", "ratelimit-limit", "zendesk-ratelimit-tickets-index"}),
            "zendesk");
  EXPECT_EQ(
      Detected(kHost, {"x-ratelimit-total", "x-ratelimit-remaining", "x-ratelimit-used-currentrequest"}),
      "freshdesk");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-ratelimit-remaining", "ratelimit-reason"}),
            "atlassian-cloud");
  EXPECT_EQ(Detected(kHost, {"x-shopify-shop-api-call-limit"}), "shopify");
  EXPECT_EQ(Detected(kHost, {"sforce-limit-info"}), "salesforce");
  EXPECT_EQ(Detected(kHost, {"anthropic-ratelimit-requests-limit"}), "anthropic");
  EXPECT_EQ(Detected(kHost, {"x-hubspot-ratelimit-daily"}), "hubspot");
  EXPECT_EQ(Detected(kHost, {"x-mbx-used-weight-1m"}), "binance");
  EXPECT_EQ(Detected(kHost, {"x-app-usage"}), "meta-graph");
  EXPECT_EQ(Detected(kHost, {"x-ms-ratelimit-remaining-subscription-reads"}), "azure-resource-manager");
  EXPECT_EQ(Detected(kHost, {"ratelimit-limit", "ratelimit-observed"}), "gitlab");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-github-enterprise-version"}), "github");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-ratelimit-remaining", "tfp-api-version"}), "terraform");
}

TEST(DetectTest, UnderAnUnknownHostNamesThatManySendTellNothing) {
  constexpr std::string_view kHost = "api.somebody.example";
  EXPECT_EQ(Detected(kHost, {}), "generic");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests"}), "generic")
      << "OpenAI's names, which all that copy it send";
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-ratelimit-resource"}), "generic");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-ratelimit-bucket"}), "generic");
  EXPECT_EQ(Detected(kHost, {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}), "generic");
  EXPECT_EQ(Detected(kHost, {"x-ratelimit-limit", "x-ratelimit-remain", "x-ratelimit-reset"}), "generic");
  EXPECT_EQ(Detected(kHost, {"x-rate-limit-limit", "x-rate-limit-interval", "x-concurrency-limit"}),
            "generic");
  EXPECT_EQ(Detected("api.github.com", {"x-contentful-ratelimit-reset"}), "github")
      << "a host that is known to be another's is not contradicted";
}

TEST(DetectTest, AHeaderThatTwoExportersCallTheirOwnTellsNothing) {
  Catalogue catalogue;
  const auto add = [&](const std::string& name, const std::string& more) {
    const std::string rule = "quotas: [{quota: q, unit: requests, kind: fixed, limit: {header: x-" + name +
                             "}, remaining: {header: x-shared}}]\n";
    ASSERT_TRUE(catalogue.Add("name: " + name + "\ntitle: X\n" + more + rule, name).has_value());
  };
  ASSERT_TRUE(catalogue.Add("name: generic\ntitle: X\n", "generic").has_value());
  add("one", "hosts: [one.example]\nself_hosted: true\ndetect: [x-shared, x-one]\n");
  add("two", "hosts: [two.example]\ndetect: [x-shared]\n");
  for (const std::string_view host : {"api.somebody.example", "localhost", ""}) {
    EXPECT_EQ(Detected(catalogue, host, HeadersNamed({"x-shared"})), "generic") << host;
    EXPECT_EQ(Detected(catalogue, host, HeadersNamed({"x-shared", "x-one"})), "one") << host;
  }
}

TEST(DetectTest, AHeadersValueTellsWhereItsNameDoesNot) {
  const Catalogue catalogue = Catalogue::Embedded().value();
  http::Fields json;
  json.Add("X-RateLimit", R"({"name":"General API Rate Limit","period":10,"limit":50,"remaining":49})");
  EXPECT_EQ(Detected(catalogue, "bc.customer.example", json), "basecamp");
  http::Fields trakt;
  trakt.Add("X-Ratelimit", R"({"name":"UNAUTHED_API_GET_LIMIT","period":300,"limit":1000,"remaining":0})");
  EXPECT_EQ(Detected(catalogue, "shows.customer.example", trakt), "trakt");
  http::Fields number;
  number.Add("X-RateLimit", "50");
  EXPECT_EQ(Detected(catalogue, "bc.customer.example", number), "generic");
}

TEST(DetectTest, AHintThatIsNoHeaderIsRefused) {
  const auto load = [](const std::string& hint) {
    return LoadExporter("name: x\ntitle: X\ndetect: [\"" + hint + "\"]\n", "x.yaml").has_value();
  };
  EXPECT_TRUE(load("x-example-*"));
  EXPECT_TRUE(load("x-example: {*}"));
  EXPECT_FALSE(load("X-Example"));
  EXPECT_FALSE(load("x-example: "));
  EXPECT_FALSE(load("x-*-example-*"));
  EXPECT_TRUE(load("x-example: {*:*}"));
}

}  // namespace
}  // namespace apiquota::provider
