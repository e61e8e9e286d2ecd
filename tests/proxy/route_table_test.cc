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
  routes->Match("/openai/v1/models")->route->metrics->ProxyRequests(401).Add();
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
    const auto found = routes->Match(path);
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
  EXPECT_FALSE(without_root->Match("/openaix/v1") || without_root->Match("/") ||
               without_root->Match("//openai"));
}

}  // namespace
}  // namespace apiquota::proxy
