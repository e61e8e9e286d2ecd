// What the proxy knows of the configuration, ready for the hot path: routes, upstreams, keys,
// callers and the metric handles they count into. Immutable and shared between threads; a reload
// builds another one and swaps the pointer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apis/options.h"
#include "apis/poll_target.h"
#include "apis/token_search.h"
#include "base/error.h"
#include "base/secret.h"
#include "guard/options.h"
#include "http/forward.h"
#include "http/links.h"
#include "metrics/agent_metrics.h"
#include "metrics/lazy_metrics.h"
#include "net/fingerprint.h"
#include "provider/catalogue.h"

namespace apiquota::apis {

struct Route {
  std::string api;
  std::string prefix;              // "/openai", or "/"
  std::vector<std::string> hosts;  // whose every path is this api's
  bool implied = false;            // nobody configured it
  provider::ExporterPtr exporter;
  http::BaseUrl base;
  // The path of the base URL in the exporter's file, where that is another than the api's.
  std::optional<std::string> described_base;
  bool private_allowed = false;  // the operator wrote the base URL
  bool rewrite_links = true;
  std::vector<KeyOptions> keys;
  const KeyOptions* injected = nullptr;  // the default key, among `keys`; null: credentials pass through
  UpstreamTimeouts timeouts;             // the api's own, else the proxy's
  std::optional<PollEndpoint> poll;
  std::vector<QuotaOptions> quotas;
  guard::Options guard;
  bool declared = false;         // the operator declared limits: requests are counted
  metrics::LazyMetrics metrics;  // its counters survive the route while the api is configured
};

// How addresses in the route's responses are written for a client that used this Host (of the route's own
// hosts: without a prefix); null where the operator wants them as they are. `withheld`: a key that went
// into the query on the way there, and that the client must not get back in any case. The views live as long
// as their owners.
std::optional<http::LinkMapping> LinksOf(const Route& route, std::string_view scheme, std::string_view host,
                                         std::string_view withheld = {});

// Tells an exchange the path it was sent to, below the route's base URL and without a query.
void SetPath(const Route& route, std::string_view path, http::Exchange* exchange);

struct RouteMatch {
  const Route* route = nullptr;
  // Under the route and the base URL's path (http::WithoutRepeatedBase), with the query.
  std::string_view path;
};

class RouteTable {
 public:
  // The api whose host this is, else the longest prefix that matches at a segment. `authority` is what the
  // request is addressed to (Host), whatever its port.
  std::optional<RouteMatch> Match(std::string_view authority, std::string_view path_and_query) const;

  // Whether the authority is an api's own: every path of it is that api's.
  bool IsHostOfApi(std::string_view authority) const;

  // What somebody is told whose path has no route: what is wrong with it and which routes there are, those
  // that somebody configured first.
  std::string NoRoute(std::string_view path_and_query) const;

  // What somebody configured is on /metrics from the start, before its first request. Once the registry knows
  // the names of this table.
  void ShowConfigured() const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }  // longest prefix first
  const std::vector<CallerOptions>& callers() const { return callers_; }
  const TokenSearch& caller_tokens() const { return caller_tokens_; }
  // Header fields in which some api of the table looks for a credential, and Authorization.
  const std::vector<std::string>& credential_fields() const { return credential_fields_; }
  const net::Fingerprinter& fingerprinter() const { return fingerprinter_; }

 private:
  friend Result<std::shared_ptr<const RouteTable>> BuildRoutes(
      const std::vector<ApiOptions>&, const std::vector<CallerOptions>&, const provider::Catalogue&,
      const net::Fingerprinter&, metrics::AgentMetrics&, const UpstreamTimeouts&);
  explicit RouteTable(net::Fingerprinter fingerprinter) : fingerprinter_(std::move(fingerprinter)) {}

  std::vector<std::unique_ptr<Route>> routes_;
  // By the first segment of their prefix ("openai"; "" for the route of all paths), longest prefix first.
  std::unordered_map<std::string_view, std::vector<const Route*>> by_segment_;
  std::vector<std::pair<std::string, const Route*>> by_host_;  // lower case, without port
  std::string known_;                                          // for NoRoute
  std::vector<CallerOptions> callers_;
  TokenSearch caller_tokens_;
  std::vector<std::string> credential_fields_;
  net::Fingerprinter fingerprinter_;
};

// Errors name the api: an unknown exporter, no base URL, a base URL that can't be used, a key to inject and
// no field that could carry it, a route or host taken twice. A configuration that passed config/ only fails
// here on its base URLs. `metrics` must outlive the table. `timeouts` are those of apis that have none of
// their own.
Result<std::shared_ptr<const RouteTable>> BuildRoutes(const std::vector<ApiOptions>& apis,
                                                      const std::vector<CallerOptions>& callers,
                                                      const provider::Catalogue& exporters,
                                                      const net::Fingerprinter& fingerprinter,
                                                      metrics::AgentMetrics& metrics,
                                                      const UpstreamTimeouts& timeouts = {});

}  // namespace apiquota::apis
