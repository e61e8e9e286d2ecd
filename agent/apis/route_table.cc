#include "apis/route_table.h"

#include <algorithm>
#include <functional>

namespace apiquota::apis {
namespace {

Result<std::unique_ptr<Route>> BuildRoute(const ApiOptions& api, const std::vector<CallerOptions>& callers,
                                          const provider::Catalogue& exporters,
                                          metrics::AgentMetrics& metrics) {
  auto route = std::make_unique<Route>();
  route->api = api.name;
  route->prefix = api.route;
  route->exporter = exporters.Find(api.exporter);
  if (!route->exporter) return Fail("api " + api.name + ": there is no exporter \"" + api.exporter + "\"");
  const provider::ExporterInfo& info = Info(*route->exporter);
  const std::string& url = api.base_url.empty() ? info.base_url : api.base_url;
  if (url.empty()) {
    return Fail("api " + api.name + ": exporter " + api.exporter +
                " has no base URL of its own; set base_url");
  }
  auto base = http::ParseBaseUrl(url);
  if (!base) return Fail("api " + api.name + ": " + base.error().message);
  route->base = std::move(*base);
  route->private_allowed = api.base_url_by_operator;
  route->rewrite_links = api.rewrite_links;
  route->keys = api.keys;
  route->declared = !api.limits.empty();
  if (api.poll) {
    auto poll = ResolvePoll(*api.poll, info.poll);
    if (!poll) return Fail("api " + api.name + ": " + poll.error().message);
    route->poll = std::move(*poll);
  }
  std::vector<std::string> names;
  for (const KeyOptions& key : route->keys) {
    names.push_back(key.name);
    if (key.inject_default) route->injected = &key;
  }
  if (route->injected != nullptr && info.credentials.empty()) {
    return Fail("api " + api.name + ": exporter " + api.exporter +
                " knows no header for a credential: a key can't be injected");
  }
  std::vector<std::string> spenders = {""};
  for (const CallerOptions& caller : callers) {
    if (caller.apis.empty() || std::ranges::find(caller.apis, api.name) != caller.apis.end()) {
      spenders.push_back(caller.name);
    }
  }
  route->metrics.MakeWith([&metrics, name = api.name, exporter = route->exporter, names, spenders] {
    return std::make_unique<metrics::ApiMetrics>(metrics, name, Info(*exporter), names, spenders);
  });
  if (!api.implied) *route->metrics;  // what somebody configured is seen from the start
  return route;
}

// "/openai/v1?x" → "openai". REQUIRES: a path, so at least "/".
std::string_view FirstSegment(std::string_view path_and_query) {
  const std::string_view rest = path_and_query.substr(1);
  return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

std::optional<http::LinkMapping> LinksOf(const Route& route, std::string_view scheme, std::string_view host) {
  if (!route.rewrite_links) return std::nullopt;
  return http::LinkMapping{.base = &route.base,
                           .prefix = route.prefix,
                           .scheme = scheme,
                           .host = host,
                           .more = Info(*route.exporter).links};
}

std::optional<RouteMatch> RouteTable::Match(std::string_view path_and_query) const {
  for (const std::string_view segment : {FirstSegment(path_and_query), std::string_view()}) {
    const auto found = by_segment_.find(segment);
    if (found == by_segment_.end()) continue;
    for (const Route* route : found->second) {
      if (const auto path = http::PathUnderRoute(path_and_query, route->prefix))
        return RouteMatch{route, *path};
    }
  }
  return std::nullopt;
}

Result<std::shared_ptr<const RouteTable>> BuildRoutes(const std::vector<ApiOptions>& apis,
                                                      const std::vector<CallerOptions>& callers,
                                                      const provider::Catalogue& exporters,
                                                      const net::Fingerprinter& fingerprinter,
                                                      metrics::AgentMetrics& metrics) {
  std::shared_ptr<RouteTable> table(new RouteTable(fingerprinter));
  table->callers_ = callers;
  std::vector<std::string_view> tokens;
  for (const CallerOptions& caller : callers) tokens.push_back(caller.token.Reveal());
  table->caller_tokens_ = TokenSearch(tokens);
  for (const ApiOptions& api : apis) {
    auto route = BuildRoute(api, callers, exporters, metrics);
    if (!route) return std::unexpected(route.error());
    table->routes_.push_back(std::move(*route));
  }
  // Routes of one length never match the same path, so their order among themselves does not matter.
  std::ranges::sort(table->routes_, std::greater{}, [](const auto& route) { return route->prefix.size(); });
  for (size_t i = 0; i < table->routes_.size(); ++i) {
    for (size_t j = i + 1; j < table->routes_.size(); ++j) {
      const Route& a = *table->routes_[i];
      const Route& b = *table->routes_[j];
      if (a.prefix == b.prefix) return Fail("apis " + a.api + " and " + b.api + " have the same route");
    }
  }
  for (const auto& route : table->routes_) {
    table->by_segment_[FirstSegment(route->prefix)].push_back(route.get());
  }
  return table;
}

}  // namespace apiquota::apis
