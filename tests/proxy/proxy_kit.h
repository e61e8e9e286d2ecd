// A real proxy on a free port, one loop, in front of scripted upstreams.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "metrics/agent_metrics.h"
#include "metrics/telemetry.h"
#include "provider/catalogue.h"
#include "proxy/proxy.h"
#include "quota/ledger.h"
#include "tests/metrics/collected.h"
#include "tests/net/peer.h"

namespace apiquota::proxy {

using net::FakeUpstream;
using net::Peer;

inline constexpr std::string_view kGet = "GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n";
inline constexpr std::string_view kOk =
    "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\nContent-Length: 2\r\n\r\nok";

class ProxyTest : public testing::Test {
 protected:
  ProxyTest() {
    options_.listen.port = 0;
    options_.loops = 1;
  }

  // The api "demo" at /demo, as an operator would have configured it.
  static apis::ApiOptions Demo(const FakeUpstream& upstream) {
    apis::ApiOptions api;
    api.name = "demo";
    api.exporter = "openai";
    api.base_url = "http://" + upstream.authority();
    api.base_url_by_operator = true;
    api.route = "/demo";
    return api;
  }

  std::shared_ptr<const apis::RouteTable> Routes(const std::vector<apis::ApiOptions>& apis,
                                                 const std::vector<apis::CallerOptions>& callers = {}) {
    auto routes =
        BuildRoutes(apis, callers, exporters_, net::Fingerprinter(Secret("0123456789abcdef")), metrics_,
                    {.connect = options_.connect_timeout,
                     .tls = options_.tls_timeout,
                     .first_byte = options_.first_byte_timeout,
                     .idle = options_.upstream_idle_timeout});
    EXPECT_TRUE(routes) << routes.error().message;
    return *routes;
  }

  void Start(const std::vector<apis::ApiOptions>& apis,
             const std::vector<apis::CallerOptions>& callers = {}) {
    auto proxy = Proxy::Start(options_, Routes(apis, callers), {RealClock(), ledger_, metrics_, own_ports_});
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_ = std::move(*proxy);
  }

  Peer Connect(int receive_buffer = 0) { return Peer::Connect(proxy_->port(), receive_buffer); }

  // One request on a connection of its own; the whole answer, until the connection ends.
  std::string Ask(std::string_view request) {
    Peer client = Connect();
    client.Send(request);
    return client.ReadAll();
  }

  // What a counter family holds, as "label values joined by spaces" → value; children at 0 are left out.
  std::map<std::string, double> Counts(const std::string& family) {
    std::map<std::string, double> out;
    for (const auto& metric_family : metrics::Collected(registry_)) {
      if (metric_family.name != family) continue;
      for (const auto& metric : metric_family.metric) {
        std::string labels;
        for (const auto& label : metric.label) labels += (labels.empty() ? "" : " ") + label.value;
        if (metric.counter.value > 0) out[labels] = metric.counter.value;
        if (metric.histogram.sample_count > 0)
          out[labels] = static_cast<double>(metric.histogram.sample_count);
      }
    }
    return out;
  }
  using CountMap = std::map<std::string, double>;

  // Counting follows the bytes; a client may look before it has happened.
  CountMap CountsOnce(const std::string& family, size_t children) {
    CountMap counts;
    for (int i = 0; i < 1000 && (counts = Counts(family)).size() < children; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return counts;
  }

  metrics::Registry registry_;
  metrics::AgentMetrics metrics_{registry_};
  quota::Ledger ledger_{quota::LedgerOptions{}};
  provider::Catalogue exporters_ = *provider::Catalogue::Embedded();
  ProxyOptions options_;
  std::vector<uint16_t> own_ports_;
  std::unique_ptr<Proxy> proxy_;
};

// The head the upstream gets for kGet.
inline std::string ForwardedGet(const FakeUpstream& upstream, std::string_view fields = {}) {
  return "GET /v1/models HTTP/1.1\r\nHost: " + upstream.authority() + "\r\n" + std::string(fields) +
         "Via: 1.1 apiquota\r\n\r\n";
}

}  // namespace apiquota::proxy
