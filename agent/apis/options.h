// What the operator can say about apis, their keys and who may use them. Plain values with their defaults.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "guard/options.h"
#include "provider/signals.h"
#include "quota/options.h"

namespace apiquota::apis {

struct KeyOptions {
  std::string name;     // the alias: the value of the `key` label
  Secret value;         // already read from its environment variable or file
  std::string account;  // keys of one provider account share their quotas; empty: none
  bool inject_default = false;
};

// When, and if need be where, an api is asked for its quotas; each of its keys in turn.
struct PollOptions {
  Micros every = std::chrono::seconds(60);  // never more often than this
  double jitter = 0.1;                      // up to this share of `every` later, at random
  std::string method;                       // empty: the exporter's
  std::string path;                         // empty: the exporter's; else it is taken to cost one request

  friend bool operator==(const PollOptions&, const PollOptions&) = default;
};

// How long an upstream may take; each step has its own time.
struct UpstreamTimeouts {
  Micros connect = std::chrono::seconds(5);
  Micros tls = std::chrono::seconds(5);
  Micros first_byte = std::chrono::minutes(10);  // models think long
  Micros idle = std::chrono::minutes(5);         // between two reads of a response

  friend bool operator==(const UpstreamTimeouts&, const UpstreamTimeouts&) = default;
};

// What one api has otherwise than the proxy's settings say.
struct TimeoutOptions {
  std::optional<Micros> connect, tls, first_byte, idle;

  UpstreamTimeouts Over(const UpstreamTimeouts& defaults) const {
    return {connect.value_or(defaults.connect), tls.value_or(defaults.tls),
            first_byte.value_or(defaults.first_byte), idle.value_or(defaults.idle)};
  }
  friend bool operator==(const TimeoutOptions&, const TimeoutOptions&) = default;
};

// What the operator knows of a quota better than its exporter does.
struct QuotaOptions {
  std::string quota;
  std::optional<provider::QuotaKind> kind;
  std::optional<Micros> window;  // where the API does not say one

  friend bool operator==(const QuotaOptions&, const QuotaOptions&) = default;
};

struct ApiOptions {
  std::string name;
  bool implied = false;  // nobody configured it: its metrics begin with its first request
  std::string exporter;
  std::string base_url;               // "https://api.openai.com" or with a path; empty: the exporter's own
  bool base_url_by_operator = false;  // only then private and loopback upstreams are allowed
  std::string route;                  // "/openai"; "/": every path that no other route has
  std::vector<std::string> hosts;     // Host names whose every path is this api's; lower case, without port
  TimeoutOptions timeouts;
  bool rewrite_links = true;  // addresses of the API's own in its heads are led back through the agent
  std::map<std::string, std::string> labels;
  std::vector<KeyOptions> keys;
  std::optional<PollOptions> poll;           // nothing: never asked
  std::vector<quota::DeclaredLimit> limits;  // of each key, counted by the agent
  std::vector<QuotaOptions> quotas;
  guard::Options guard;  // the file's defaults with what it says of this api
};

struct CallerOptions {
  std::string name;
  Secret token;
  std::vector<std::string> apis;  // which apis it may use; empty: all
  uint8_t priority = 3;           // of its requests in a queue: 0 (first) to 7 (last), RFC 9218 section 4.1

  bool MayUse(std::string_view api) const {
    return apis.empty() || std::ranges::find(apis, api) != apis.end();
  }
};

}  // namespace apiquota::apis
