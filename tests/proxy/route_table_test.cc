#include "apis/route_table.h"

#include "tests/metrics/collected.h"
#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

class RouteTableTest : public ProxyTest {
 protected:
  // How many children a family shows, those at 0 included.
  size_t Children(const std::string& family) {
    for (const auto& metric_family : metrics::Collected(registry_)) {
      if (metric_family.name == family) return metric_family.metric.size();
    }
    return 0;
  }

  static apis::ApiOptions OpenAi(bool implied) {
    apis::ApiOptions api;
    api.name = "openai";
    api.implied = implied;
    api.exporter = "openai";
    api.route = "/openai";
    return api;
  }
};

TEST_F(RouteTableTest, TheMetricsOfAConfiguredApiAreThereFromTheStart) {
  apis::ApiOptions api = OpenAi(false);
  api.keys.push_back({.name = "ci", .value = Secret("sk-1"), .account = "", .inject_default = false});
  const auto routes = Routes({api});
  EXPECT_EQ(Children("apiquota_proxy_requests_total"), 0u) << "a table that is not in use shows nothing";
  routes->ShowConfigured();
  EXPECT_EQ(Children("apiquota_proxy_requests_total"), 2u) << "codes 200 and 429";
  EXPECT_EQ(Children("apiquota_upstream_requests_total"), 2u);
  EXPECT_EQ(Children("apiquota_auth_failures_total"), 1u);
  EXPECT_GT(Children("apiquota_throttles_total"), 0u);
}

TEST_F(RouteTableTest, ReasonsAndTimesAppearWhenTheyAreFirstCounted) {
  const auto routes = Routes({OpenAi(false)});
  routes->ShowConfigured();
  for (const char* family : {"apiquota_upstream_errors_total", "apiquota_parse_errors_total",
                             "apiquota_overhead_seconds", "apiquota_upstream_duration_seconds",
                             "apiquota_upstream_first_byte_seconds", "apiquota_retry_after_seconds"}) {
    EXPECT_EQ(Children(family), 0u) << family;
  }
  metrics::ApiMetrics& metrics = *routes->routes()[0]->metrics;
  metrics.CountUpstreamError(metrics::UpstreamError::kDns);
  metrics.overhead_request().Observe(0.1);
  metrics.overhead_request().Observe(0.1);
  EXPECT_EQ(Counts("apiquota_upstream_errors_total"), (CountMap{{"openai dns", 1}}));
  EXPECT_EQ(Counts("apiquota_overhead_seconds"), (CountMap{{"openai request", 2}}));
}

TEST_F(RouteTableTest, TheNextTablesCountersGoOnWhereTheLastOnesWere) {
  Routes({OpenAi(false)})->routes()[0]->metrics->ProxyRequests(200).Add();
  Routes({OpenAi(false)})->routes()[0]->metrics->ProxyRequests(200).Add();
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"openai 200", 2}}));
}

TEST_F(RouteTableTest, ThoseOfAnImpliedApiBeginWithItsFirstRequest) {
  const auto routes = Routes({OpenAi(true)});
  EXPECT_EQ(Children("apiquota_proxy_requests_total"), 0u);
  routes->ShowConfigured();
  EXPECT_EQ(Children("apiquota_proxy_requests_total"), 0u);
  routes->Match("localhost", "/openai/v1/models")->route->metrics->ProxyRequests(401).Add();
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"openai 401", 1}}));
}

TEST_F(RouteTableTest, TheLongestRouteThatMatchesAtASegmentIsTaken) {
  std::vector<apis::ApiOptions> configured;
  for (const std::string route : {"/", "/openai", "/openai/eu", "/openai/eu/test", "/other"}) {
    configured.push_back(OpenAi(true));
    configured.back().name = configured.back().route = route;
  }
  const auto routes = Routes(configured);
  const auto match = [&](std::string_view path) {
    const auto found = routes->Match("localhost", path);
    return found ? found->route->prefix + " + " + std::string(found->path) : "none";
  };
  EXPECT_EQ(match("/openai/v1/models"), "/openai + /v1/models");
  EXPECT_EQ(match("/openai"), "/openai + ");
  EXPECT_EQ(match("/openai?a=/other"), "/openai + ?a=/other");
  EXPECT_EQ(match("/openai/eu/v1"), "/openai/eu + /v1");
  EXPECT_EQ(match("/openai/eu/test/x"), "/openai/eu/test + /x");
  EXPECT_EQ(match("/openai/eux"), "/openai + /eux");
  EXPECT_EQ(match("/openaix/v1"), "/ + /openaix/v1");
  EXPECT_EQ(match("/"), "/ + /");
  configured.erase(configured.begin());
  const auto without_root = Routes(configured);
  EXPECT_FALSE(without_root->Match("localhost", "/openaix/v1") || without_root->Match("localhost", "/") ||
               without_root->Match("localhost", "//openai"));
}

TEST_F(RouteTableTest, AHostsWholePathIsItsApisAndComesBeforePrefixes) {
  apis::ApiOptions by_host = OpenAi(true);
  by_host.name = "by-host";
  by_host.route = "/by-host";
  by_host.hosts = {"openai.localhost", "models.example"};
  const auto routes = Routes({OpenAi(true), by_host});
  const auto match = [&](std::string_view authority, std::string_view path) {
    const auto found = routes->Match(authority, path);
    return found ? found->route->api + " " + std::string(found->path) : "none";
  };
  EXPECT_EQ(match("openai.localhost", "/v1/models?x"), "by-host /v1/models?x");
  EXPECT_EQ(match("OpenAI.LocalHost:4290", "/openai/v1"), "by-host /openai/v1");
  EXPECT_EQ(match("models.example", "/"), "by-host /");
  EXPECT_EQ(match("localhost", "/by-host/v1"), "by-host /v1");
  EXPECT_EQ(match("x.openai.localhost", "/openai/v1"), "openai /v1");
  EXPECT_EQ(match("", "/openai/v1"), "openai /v1");
  EXPECT_EQ(match("[::1]:4290", "/v1"), "none");
}

TEST_F(RouteTableTest, LinksForAHostOfTheApiHaveNoPrefix) {
  apis::ApiOptions api = OpenAi(true);
  api.hosts = {"openai.localhost"};
  const auto routes = Routes({api});
  const apis::Route& route = *routes->routes()[0];
  EXPECT_EQ(LinksOf(route, "http", "OpenAI.localhost:4290")->prefix, "");
  EXPECT_EQ(LinksOf(route, "http", "localhost:4290")->prefix, "/openai");
}

TEST_F(RouteTableTest, AHostBelongsToOneApi) {
  apis::ApiOptions a = OpenAi(true);
  a.hosts = {"openai.localhost"};
  apis::ApiOptions b = a;
  b.name = "b";
  b.route = "/b";
  const auto routes =
      apis::BuildRoutes({a, b}, {}, exporters_, net::Fingerprinter(Secret("0123456789abcdef")), metrics_);
  ASSERT_FALSE(routes);
  EXPECT_EQ(routes.error().message, "apis openai and b have the same host openai.localhost");
}

TEST_F(RouteTableTest, ClientsThatBringTheBaseUrlsPathDoNotDoubleIt) {
  apis::ApiOptions api = OpenAi(true);
  api.base_url = "https://openrouter.ai/api";
  api.hosts = {"openrouter.localhost"};
  const auto routes = Routes({api});
  EXPECT_EQ(routes->Match("localhost", "/openai/api/v1/models")->path, "/v1/models");
  EXPECT_EQ(routes->Match("localhost", "/openai/v1/models")->path, "/v1/models");
  EXPECT_EQ(routes->Match("openrouter.localhost", "/api/v1/models")->path, "/v1/models");
}

TEST_F(RouteTableTest, WhoseRouteIsUnknownHearsOfTheConfiguredOnesFirst) {
  std::vector<apis::ApiOptions> configured;
  for (const std::string name : {"zeta", "alpha", "mine", "yours"}) {
    configured.push_back(OpenAi(name == "zeta" || name == "alpha"));
    configured.back().name = name;
    configured.back().route = "/" + name;
  }
  EXPECT_EQ(Routes(configured)->NoRoute("/x"),
            "no configured api has this path; known routes: /mine, /yours, /alpha, /zeta");
  EXPECT_EQ(
      Routes(configured)->NoRoute("//mine/v1"),
      "the path begins with two slashes, so no route fits it (a base URL with a slash at its end?); known "
      "routes: /mine, /yours, /alpha, /zeta");
  EXPECT_EQ(Routes({})->NoRoute("/x"), "no api is configured");
  for (int i = 0; i < 30; ++i) {
    configured.push_back(OpenAi(true));
    configured.back().route = configured.back().name = "/many" + std::to_string(i);
  }
  const std::string many = Routes(configured)->NoRoute("/x");
  EXPECT_TRUE(many.ends_with(", ...")) << many;
}

TEST_F(RouteTableTest, AnApisOwnTimeoutsStandBesideTheProxys) {
  apis::ApiOptions api = OpenAi(true);
  api.timeouts.first_byte = std::chrono::hours(1);
  const apis::UpstreamTimeouts proxys{std::chrono::seconds(1), std::chrono::seconds(2),
                                      std::chrono::seconds(3), std::chrono::seconds(4)};
  const auto routes = apis::BuildRoutes({api}, {}, exporters_, net::Fingerprinter(Secret("0123456789abcdef")),
                                        metrics_, proxys);
  ASSERT_TRUE(routes) << routes.error().message;
  EXPECT_EQ((*routes)->routes()[0]->timeouts,
            (apis::UpstreamTimeouts{std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::hours(1),
                                    std::chrono::seconds(4)}));
}

}  // namespace
}  // namespace apiquota::proxy
