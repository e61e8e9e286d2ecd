#include "apis/poll_target.h"

#include <algorithm>

#include "apis/credentials.h"
#include "apis/route_table.h"

namespace apiquota::apis {

Result<PollEndpoint> ResolvePoll(const PollOptions& options, const std::optional<provider::PollRule>& rule) {
  if (options.path.empty() && !rule) {
    return Fail("its exporter knows no endpoint to poll; set poll.path");
  }
  PollEndpoint endpoint;
  endpoint.plan = {options.every, options.jitter};
  if (rule) {
    endpoint.method = rule->method;
    endpoint.path = rule->path;
    endpoint.headers = rule->headers;
    if (rule->cost > 0) endpoint.cost_unit = rule->cost_unit;
    endpoint.cost = rule->cost;
  }
  if (!options.path.empty() && options.path != endpoint.path) {
    endpoint.path = options.path;
    endpoint.method = "GET";
    endpoint.cost_unit = "requests";
    endpoint.cost = 1;
  }
  if (!options.method.empty()) endpoint.method = options.method;
  return endpoint;
}

const PollEndpoint& PollTarget::endpoint() const { return *route->poll; }

std::string_view PollTarget::path() const {
  const std::string_view whole = endpoint().path;
  return whole.substr(0, whole.find('?'));
}

std::string PollTarget::Url() const {
  const http::BaseUrl& base = route->base;
  return (base.tls ? "https://" : "http://") + base.authority + base.path + endpoint().path;
}

PollTarget::Request PollTarget::Asked() const {
  Request request{Url(), endpoint().headers};
  if (key != nullptr) AddKey(Info(*route->exporter), *key, &request.url, &request.fields);
  return request;
}

std::vector<PollTarget> PollTargets(const std::shared_ptr<const RouteTable>& table) {
  std::vector<PollTarget> targets;
  for (const auto& route : table->routes()) {
    if (!route->poll) continue;
    for (const KeyOptions& key : route->keys) targets.push_back({table, route.get(), &key, key.name});
    if (route->keys.empty()) targets.push_back({table, route.get(), nullptr, "anonymous"});
  }
  std::ranges::stable_sort(targets, {}, [](const PollTarget& target) { return target.route->api; });
  return targets;
}

}  // namespace apiquota::apis
