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

std::string Joined(std::string_view base, std::string_view path) {
  std::string joined = std::string(base).append(path);
  for (size_t at = joined.find("/../"); at != std::string::npos; at = joined.find("/../")) {
    const size_t step = at == 0 ? 0 : joined.rfind('/', at - 1);
    joined.erase(step, at + 3 - step);
  }
  return joined;
}

const PollEndpoint& PollTarget::endpoint() const { return *route->poll; }

std::string_view PollTarget::path() const {
  const std::string_view whole = endpoint().path;
  return whole.substr(0, whole.find('?'));
}

std::string PollTarget::Url() const {
  const http::BaseUrl& base = route->base;
  return (base.tls ? "https://" : "http://") + base.authority + Joined(base.path, path()) +
         endpoint().path.substr(path().size());
}

void PollTarget::SetPath(http::Exchange* exchange) const {
  exchange->path = Joined(route->base.path, path());
  exchange->described_path = route->described_base ? Joined(*route->described_base, path()) : "";
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
