// What the operator can say about the doors: apis, keys, callers and the proxy's limits. Plain values with
// their defaults; config/ fills them, source/ obeys them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "net/options.h"
#include "quota/options.h"

namespace apiquota::source {

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

struct ApiOptions {
  std::string name;
  bool implied = false;  // nobody configured it: its metrics begin with its first request
  std::string exporter;
  std::string base_url;               // "https://api.openai.com" or with a path; empty: the exporter's own
  bool base_url_by_operator = false;  // only then private and loopback upstreams are allowed
  std::string route;                  // "/openai"; never "/"
  std::map<std::string, std::string> labels;
  std::vector<KeyOptions> keys;
  std::optional<PollOptions> poll;           // nothing: never asked
  std::vector<quota::DeclaredLimit> limits;  // of each key, counted by the agent
};

struct CallerOptions {
  std::string name;
  Secret token;
  std::vector<std::string> apis;  // which apis it may use; empty: all
};

// Every limit has a name, a default and a metric (apiquota_http_rejected_total or
// apiquota_upstream_errors_total).
struct ProxyOptions {
  net::ListenAddress listen{"127.0.0.1", 4290};
  std::vector<std::string> hosts;  // Host names allowed besides loopback names and the listen address
  net::TlsClientOptions tls;
  int loops = 0;  // event loops, one thread each; 0: one per core

  size_t head_bytes_max = 64 * 1024;
  size_t fields_max = 200;
  size_t target_bytes_max = 16 * 1024;
  size_t buffer_high_bytes = 256 * 1024;  // per direction: pause reading above,
  size_t buffer_low_bytes = 128 * 1024;   // resume below
  size_t clients_max = 10'000;            // connections, per process
  // Per loop and upstream. As many as clients: a stream may last for minutes, and must not keep another
  // client waiting unless the operator says so.
  size_t upstream_connections_max = 10'000;
  size_t upstream_queue_max = 1'000;  // requests waiting for one of those

  Micros head_timeout = std::chrono::seconds(10);         // the client's whole request head
  Micros client_idle_timeout = std::chrono::seconds(60);  // keep-alive, between requests
  Micros body_idle_timeout = std::chrono::seconds(30);    // client's body or reading stands still
  Micros connect_timeout = std::chrono::seconds(5);
  Micros tls_timeout = std::chrono::seconds(5);
  Micros first_byte_timeout = std::chrono::minutes(10);    // models think long
  Micros upstream_idle_timeout = std::chrono::minutes(5);  // between two reads of a response
  Micros pool_idle_timeout = std::chrono::seconds(30);     // unused upstream connections
  Micros drain_timeout = std::chrono::seconds(30);         // SIGTERM: time for requests under way

  friend bool operator==(const ProxyOptions&, const ProxyOptions&) = default;
};

// Bounds of all polls together and of each one.
struct PollerOptions {
  size_t requests_max = 64;                          // under way at a time; the others wait
  Micros connect_timeout = std::chrono::seconds(5);  // name, TCP and TLS
  Micros timeout = std::chrono::seconds(30);         // from the start to the answer's last byte
  size_t head_bytes_max = 64 * 1024;                 // of the answer
  size_t body_bytes_max = 1024 * 1024;               // likewise, decoded; what is beyond is not read

  friend bool operator==(const PollerOptions&, const PollerOptions&) = default;
};

}  // namespace apiquota::source
