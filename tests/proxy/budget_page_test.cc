#include "proxy/budget_page.h"

#include <gtest/gtest.h>

#include "metrics/agent_metrics.h"
#include "provider/catalogue.h"

namespace apiquota::proxy {
namespace {

SystemTime At(double seconds) {
  return SystemTime(std::chrono::seconds(1'700'000'000)) + SecondsToMicros(seconds);
}

class MovedClock final : public Clock {
 public:
  SystemTime SystemNow() const override { return now_; }
  SteadyTime SteadyNow() const override { return SteadyTime(now_.time_since_epoch()); }
  void Advance(Micros by) { now_ += by; }

 private:
  SystemTime now_ = At(0);
};

TEST(OwnPathTest, IsASegmentOfItsOwn) {
  EXPECT_TRUE(IsOwnPath("/-"));
  EXPECT_TRUE(IsOwnPath("/-/"));
  EXPECT_TRUE(IsOwnPath("/-?x"));
  EXPECT_TRUE(IsOwnPath("/-/budget?x"));
  EXPECT_FALSE(IsOwnPath("/-x"));
  EXPECT_FALSE(IsOwnPath("/a/-/budget"));
  EXPECT_FALSE(IsOwnPath("//-/budget"));
  EXPECT_TRUE(IsBudgetPath("/-/budget?x=/"));
  EXPECT_FALSE(IsBudgetPath("/-/budget/"));
}

TEST(CallerWaitsTest, AWaitIsItsCallersUntilItGoes) {
  MovedClock clock;
  CallerWaits waits(clock);
  CallerWaits::Wait first = waits.Begin("a", "nightly");
  clock.Advance(std::chrono::seconds(3));
  {
    const CallerWaits::Wait second = waits.Begin("a", "nightly");
    const CallerWaits::Wait moved = std::move(first);
    clock.Advance(std::chrono::seconds(1));
    const CallerWaits::View view = waits.Of("a", "nightly");
    EXPECT_EQ(view.waiting, 2u);
    EXPECT_EQ(view.oldest, std::chrono::seconds(4));
    EXPECT_FALSE(view.last);
    EXPECT_EQ(waits.Of("a", "other").waiting, 0u);
    EXPECT_EQ(waits.Of("b", "nightly").waiting, 0u);
  }
  const CallerWaits::View view = waits.Of("a", "nightly");
  EXPECT_EQ(view.waiting, 0u);
  EXPECT_FALSE(view.oldest);
  EXPECT_EQ(view.last, std::chrono::seconds(1)) << "the one that began last went last";
}

struct Silent final : guard::Rim {
  void Deliver(uint32_t, std::vector<guard::Granted>) override {}
  void WakeBy(SystemTime) override {}
};

class BudgetPageTest : public testing::Test {
 protected:
  BudgetPageTest() {
    guard::LimitRule daily;
    daily.name = "tokens-a-day";
    daily.by = {{guard::LimitSubject::Kind::kCaller}};
    daily.limit = 10;
    daily.window = std::chrono::hours(24);
    guard::LimitRule each;
    each.name = "each";
    each.by = {{guard::LimitSubject::Kind::kAddress}};
    each.limit = 5;
    each.window = std::chrono::minutes(1);
    guard::Options options;
    options.mode = guard::Mode::kOn;
    options.limits = {daily, each};
    apis_.resize(2);
    apis_[0].name = "demo";
    apis_[0].keys = {{.name = "ci", .value = Secret("sk-secret"), .account = {}, .inject_default = true}};
    apis_[0].guard = options;
    apis_[1].name = "other";
    for (apis::ApiOptions& api : apis_) {
      api.exporter = "openai";
      api.base_url = "http://127.0.0.1:1";
      api.route = "/" + api.name;
    }
    guard_.Configure({{.api = "demo", .pool = "demo", .options = options, .declared = {}}}, At(0));
    Tell("demo", "ci", 30);
    Tell("demo", "anonymous", 7);
    Tell("other", "ci", 8);
  }

  void Tell(std::string_view api, std::string_view key, double remaining) {
    provider::Reading reading;
    reading.quota = reading.unit = "requests";
    reading.limit = 60;
    reading.remaining = remaining;
    reading.reset_at = At(20);
    reading.kind = provider::QuotaKind::kFixed;
    ledger_.Observe({.api = api,
                     .key = key,
                     .exporter = "openai",
                     .received_at = At(0),
                     .date = {},
                     .readings = {&reading, 1}},
                    At(0));
  }

  std::shared_ptr<const apis::RouteTable> Routes() {
    return *BuildRoutes(apis_, callers_, exporters_, net::Fingerprinter(Secret("0123456789abcdef")),
                        metrics_);
  }

  std::string PageOf(size_t caller) {
    const auto routes = Routes();
    return BudgetJson(*routes, routes->callers()[caller], ledger_.Read(At(1)), Sources(), {At(1)});
  }

  BudgetSources Sources() { return {.ledger = &ledger_, .guard = &guard_, .waits = &waits_}; }

  metrics::Registry registry_;
  metrics::AgentMetrics metrics_{registry_};
  provider::Catalogue exporters_ = *provider::Catalogue::Embedded();
  quota::Ledger ledger_{quota::LedgerOptions{}};
  MovedClock clock_;
  CallerWaits waits_{clock_};
  Silent rim_;
  guard::Guard guard_{rim_, 1};
  std::vector<apis::ApiOptions> apis_;
  std::vector<apis::CallerOptions> callers_ = {
      {.name = "nightly", .token = Secret("tok-nightly"), .apis = {"demo"}},
      {.name = "batch", .token = Secret("tok-batch"), .apis = {}},
      {.name = "elsewhere", .token = Secret("tok-else"), .apis = {"nowhere"}}};
};

TEST_F(BudgetPageTest, IsTheCallersOwnAndNobodyElses) {
  const http::Fields none;
  const guard::LimitedCall call = {.method = "GET",
                                   .path = "/",
                                   .caller = "nightly",
                                   .key = "ci",
                                   .address = "192.0.2.1",
                                   .fields = &none};
  for (int i = 0; i < 3; ++i) {
    guard::ApiTurn turn = guard_.ApiFor("demo")->Ask(call, At(1));
    turn.permit.Sent();
  }
  const CallerWaits::Wait others = waits_.Begin("demo", "batch");
  const CallerWaits::Wait wait = waits_.Begin("demo", "nightly");
  clock_.Advance(std::chrono::milliseconds(2500));
  EXPECT_EQ(PageOf(0), R"({
  "at": 1700000001.0,
  "at_time": "2023-11-14T22:13:21Z",
  "caller": "nightly",
  "apis": [
    {
      "api": "demo",
      "quotas": [
        {
          "resource": "",
          "quota": "requests",
          "unit": "requests",
          "limit": 60,
          "remaining": 30,
          "used_ratio": 0.5,
          "reset": 1700000020.0,
          "reset_time": "2023-11-14T22:13:40Z"
        }
      ],
      "limits": [
        {
          "limit": "tokens-a-day",
          "unit": "requests",
          "allowed": 10,
          "used": 3,
          "remaining": 7,
          "window_seconds": 86400,
          "resets_in_seconds": 86400
        }
      ],
      "waits": {
        "waiting": 1,
        "oldest_seconds": 2.5,
        "last_seconds": null
      }
    }
  ]
}
)");
}

TEST_F(BudgetPageTest, WhoMayUseNothingIsToldOfNothing) {
  EXPECT_NE(PageOf(2).find("\"apis\": []"), std::string::npos) << PageOf(2);
}

TEST_F(BudgetPageTest, WithoutAKeyOfOursItsQuotasAreThoseOfRequestsWithoutOne) {
  apis_[0].keys.clear();
  const std::string page = PageOf(0);
  EXPECT_NE(page.find("\"remaining\": 7"), std::string::npos) << page;
  EXPECT_EQ(page.find("\"remaining\": 30"), std::string::npos) << page;
}

TEST_F(BudgetPageTest, NoValueOfAKeyOrTokenIsOnIt) {
  for (size_t caller = 0; caller < callers_.size(); ++caller) {
    const std::string page = PageOf(caller);
    EXPECT_EQ(page.find("sk-"), std::string::npos) << page;
    EXPECT_EQ(page.find("tok-"), std::string::npos) << page;
  }
}

TEST_F(BudgetPageTest, IsMadeOnceASecondForEachCallerAndAnewAfterAReload) {
  BudgetDesk desk(Sources());
  auto routes = Routes();
  const apis::CallerOptions& nightly = routes->callers()[0];
  const std::string first = desk.PageFor(routes, nightly, {At(1)});
  Tell("demo", "ci", 29);
  EXPECT_EQ(desk.PageFor(routes, nightly, {At(1.9)}), first);
  EXPECT_NE(desk.PageFor(routes, routes->callers()[1], {At(1.9)}), first) << "another caller's is another";
  EXPECT_NE(desk.PageFor(routes, nightly, {At(2)}), first);
  callers_[0].apis = {"other"};
  routes = Routes();
  const std::string after = desk.PageFor(routes, routes->callers()[0], {At(2.1)});
  EXPECT_NE(after.find("\"api\": \"other\""), std::string::npos) << after;
  EXPECT_EQ(after.find("\"api\": \"demo\""), std::string::npos) << after;
}

}  // namespace
}  // namespace apiquota::proxy
