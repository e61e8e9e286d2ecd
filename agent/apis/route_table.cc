#include "apis/route_table.h"

#include <algorithm>
#include <functional>

#include "base/text.h"

namespace apiquota::apis {
namespace {

Result<std::unique_ptr<Route>> BuildRoute(const ApiOptions& api, const provider::Catalogue& exporters,
                                          metrics::AgentMetrics& metrics, const UpstreamTimeouts& timeouts) {
  auto route = std::make_unique<Route>();
  route->api = api.name;
  route->prefix = api.route;
  route->hosts = api.hosts;
  route->implied = api.implied;
  route->timeouts = api.timeouts.Over(timeouts);
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
  const auto described = http::ParseBaseUrl(info.base_url);
  const std::string described_path = described ? described->path : "";
  if (described_path != route->base.path) route->described_base = described_path;
  route->private_allowed = api.base_url_by_operator;
  route->rewrite_links = api.rewrite_links;
  route->keys = api.keys;
  route->quotas = api.quotas;
  route->guard = api.guard;
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
  route->metrics.MakeWith(
      [&metrics, name = api.name, exporter = route->exporter, names, guarded = api.guard.active()] {
        auto made = std::make_unique<metrics::ApiMetrics>(metrics, name, Info(*exporter), names);
        if (guarded) made->guard();  // what alerts compare with is there from the start
        return made;
      });
  return route;
}

// "/openai/v1?x" → "openai". REQUIRES: a path, so at least "/".
std::string_view FirstSegment(std::string_view path_and_query) {
  const std::string_view rest = path_and_query.substr(1);
  return rest.substr(0, rest.find_first_of("/?"));
}

// "Openai.localhost:4290" → "Openai.localhost"; of an IPv6 literal something that is no name.
std::string_view HostName(std::string_view authority) { return authority.substr(0, authority.find(':')); }

bool HasHost(const Route& route, std::string_view authority) {
  const std::string_view name = HostName(authority);
  return std::ranges::any_of(route.hosts, [&](const auto& host) { return EqualsIgnoreCase(host, name); });
}

constexpr size_t kRoutesNamed = 20;

// "/a, /b, ...": the configured ones first, each kind in the order of the alphabet.
std::string Named(const std::vector<std::unique_ptr<Route>>& routes) {
  std::vector<std::pair<bool, std::string_view>> names;
  names.reserve(routes.size());
  for (const auto& route : routes) names.emplace_back(route->implied, route->prefix);
  std::ranges::sort(names);
  std::string text;
  for (size_t i = 0; i < names.size() && i < kRoutesNamed; ++i) {
    text.append(i == 0 ? "" : ", ").append(names[i].second);
  }
  return names.size() > kRoutesNamed ? text + ", ..." : text;
}

// Sorted, each once.
std::vector<std::string> CredentialFields(const std::vector<std::unique_ptr<Route>>& routes) {
  std::vector<std::string> fields = {"authorization"};
  for (const auto& route : routes) {
    for (const provider::CredentialRule& rule : Info(*route->exporter).credentials) {
      if (!rule.header.empty()) fields.push_back(ToLower(rule.header));
    }
  }
  std::ranges::sort(fields);
  const auto twice = std::ranges::unique(fields);
  fields.erase(twice.begin(), twice.end());
  return fields;
}

}  // namespace

void SetPath(const Route& route, std::string_view path, http::Exchange* exchange) {
  exchange->path = route.base.path;
  exchange->path.append(path);
  exchange->described_path.clear();
  if (route.described_base) exchange->described_path.append(*route.described_base).append(path);
}

std::optional<http::LinkMapping> LinksOf(const Route& route, std::string_view scheme, std::string_view host,
                                         std::string_view withheld) {
  if (!route.rewrite_links && withheld.empty()) return std::nullopt;
  return http::LinkMapping{.base = route.rewrite_links ? &route.base : nullptr,
                           .prefix = HasHost(route, host) ? std::string_view() : route.prefix,
                           .scheme = scheme,
                           .host = host,
                           .more = Info(*route.exporter).links,
                           .withheld = withheld};
}

std::optional<RouteMatch> RouteTable::Match(std::string_view authority,
                                            std::string_view path_and_query) const {
  if (!by_host_.empty()) {
    const std::string_view name = HostName(authority);
    for (const auto& [host, route] : by_host_) {
      if (EqualsIgnoreCase(host, name))
        return RouteMatch{route, http::WithoutRepeatedBase(path_and_query, route->base.path)};
    }
  }
  for (const std::string_view segment : {FirstSegment(path_and_query), std::string_view()}) {
    const auto found = by_segment_.find(segment);
    if (found == by_segment_.end()) continue;
    for (const Route* route : found->second) {
      if (const auto path = http::PathUnderRoute(path_and_query, route->prefix))
        return RouteMatch{route, http::WithoutRepeatedBase(*path, route->base.path)};
    }
  }
  return std::nullopt;
}

bool RouteTable::IsHostOfApi(std::string_view authority) const {
  if (by_host_.empty()) return false;
  const std::string_view name = HostName(authority);
  return std::ranges::any_of(by_host_,
                             [&](const auto& entry) { return EqualsIgnoreCase(entry.first, name); });
}

std::string RouteTable::NoRoute(std::string_view path_and_query) const {
  if (routes_.empty()) return "no api is configured";
  if (path_and_query.starts_with("//"))
    return "the path begins with two slashes, so no route fits it (a base URL with a slash at its end?); " +
           known_;
  return "no configured api has this path; " + known_;
}

void RouteTable::ShowConfigured() const {
  for (const auto& route : routes_) {
    if (!route->implied) *route->metrics;
  }
}

Result<std::shared_ptr<const RouteTable>> BuildRoutes(const std::vector<ApiOptions>& apis,
                                                      const std::vector<CallerOptions>& callers,
                                                      const provider::Catalogue& exporters,
                                                      const net::Fingerprinter& fingerprinter,
                                                      metrics::AgentMetrics& metrics,
                                                      const UpstreamTimeouts& timeouts) {
  std::shared_ptr<RouteTable> table(new RouteTable(fingerprinter));
  table->callers_ = callers;
  std::vector<std::string_view> tokens;
  tokens.reserve(callers.size());
  for (const CallerOptions& caller : callers) tokens.push_back(caller.token.Reveal());
  table->caller_tokens_ = TokenSearch(tokens);
  for (const ApiOptions& api : apis) {
    auto route = BuildRoute(api, exporters, metrics, timeouts);
    if (!route) return std::unexpected(route.error());
    table->routes_.push_back(std::move(*route));
  }
  table->credential_fields_ = CredentialFields(table->routes_);
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
    for (const std::string& host : route->hosts) {
      const auto taken =
          std::ranges::find(table->by_host_, host, [](const auto& entry) { return entry.first; });
      if (taken != table->by_host_.end())
        return Fail("apis " + taken->second->api + " and " + route->api + " have the same host " + host);
      table->by_host_.emplace_back(host, route.get());
    }
  }
  table->known_ = "known routes: " + Named(table->routes_);
  return table;
}

}  // namespace apiquota::apis
