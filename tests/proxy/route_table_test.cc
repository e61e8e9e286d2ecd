#include "apis/route_table.h"

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

class RouteTableTest : public ProxyTest {
 protected:
  // How many children a family shows, those at 0 included.
  size_t Children(const std::string& family) {
    for (const auto& metric_family : registry_.Collect()) {
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
  const auto routes = Routes({OpenAi(false)});
  EXPECT_EQ(Children("apiquota_proxy_requests_total"), 2u) << "codes 200 and 429";
  EXPECT_EQ(Children("apiquota_overhead_seconds"), 2u);
}

TEST_F(RouteTableTest, ThoseOfAnImpliedApiBeginWithItsFirstRequest) {
  const auto routes = Routes({OpenAi(true)});
  EXPECT_EQ(Children("apiquota_proxy_requests_total"), 0u);
  EXPECT_EQ(Children("apiquota_overhead_seconds"), 0u);
  routes->Match("localhost", "/openai/v1/models")->route->metrics->ProxyRequests(401).Add();
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"openai 401", 1}}));
  EXPECT_EQ(Children("apiquota_overhead_seconds"), 2u);
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
