// What is polled: each configured key of each api that has `poll`, or the api without a credential if it has
// no keys. Values of the route table; immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apis/options.h"
#include "base/error.h"
#include "http/exchange.h"
#include "provider/poll_rule.h"

namespace apiquota::apis {

struct Route;
class RouteTable;

struct PollPlan {
  Micros every{};
  double jitter = 0;  // a share of `every`

  friend bool operator==(const PollPlan&, const PollPlan&) = default;
};

// Where and how often one api is asked: the operator's words completed by the exporter's.
struct PollEndpoint {
  PollPlan plan;
  std::string method;
  std::string path;  // under the base URL, with its query; "/.." leaves the base's last step
  std::vector<std::pair<std::string, std::string>> headers;
  std::string cost_unit = "requests";
  uint64_t cost = 0;  // of a poll, in that unit
};

// An error if neither says where. A path of the operator's own is taken to cost one request.
Result<PollEndpoint> ResolvePoll(const PollOptions& options, const std::optional<provider::PollRule>& rule);

// The path of a base URL and one under it, without a query: each "/.." takes back the step before it
// (RFC 3986 section 5.2.4).
std::string Joined(std::string_view base, std::string_view path);

struct PollTarget {
  std::shared_ptr<const RouteTable> table;  // keeps what the others point to
  const Route* route = nullptr;
  const KeyOptions* key = nullptr;  // null: no credential
  std::string key_label;

  const PollEndpoint& endpoint() const;
  std::string_view path() const;                 // as it is configured, without the query
  std::string Url() const;                       // without the credential
  void SetPath(http::Exchange* exchange) const;  // on the wire, and as the exporter describes it
  // What is asked for: that URL and the endpoint's fields, with the credential in the one or the other.
  struct Request {
    std::string url;
    std::vector<std::pair<std::string, std::string>> fields;
  };
  Request Asked() const;
};

// By name of the api and order of its keys.
std::vector<PollTarget> PollTargets(const std::shared_ptr<const RouteTable>& table);

}  // namespace apiquota::apis
