// What the operator can say about the proxy; plain values with their defaults.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apis/options.h"
#include "base/clock.h"
#include "base/ip_network.h"
#include "net/options.h"

namespace apiquota::proxy {

// Every limit has a name, a default and a metric (apiquota_http_rejected_total or
// apiquota_upstream_errors_total).
struct ProxyOptions {
  net::ListenAddress listen{"127.0.0.1", 4290};
  std::vector<std::string> hosts;          // Host names allowed besides loopback names and the listen address
  std::vector<IpNetwork> trusted_proxies;  // whose X-Forwarded-For says who the client is
  bool access_log = false;                 // a line for each request (access_log.h)
  net::WebOptions web = {};                // of it only `tls` may be set
  net::TlsClientOptions tls;
  int loops = 0;  // event loops, one thread each; 0: one per core

  size_t head_bytes_max = 64 * 1024;
  size_t fields_max = 200;
  size_t target_bytes_max = 16 * 1024;
  size_t buffer_high_bytes = 16 * 1024;  // per direction: pause reading above,
  size_t buffer_low_bytes = 8 * 1024;    // resume below
  size_t body_rate_min = 16;             // bytes a second of a client's body, or of its reading; 0: any
  size_t clients_max = 10'000;           // connections, per process
  // Per loop and upstream. As many as clients: a stream may last for minutes, and must not keep another
  // client waiting unless the operator says so.
  size_t upstream_connections_max = 10'000;
  size_t upstream_queue_max = 1'000;  // requests waiting for one of those

  Micros head_timeout = std::chrono::seconds(10);         // the client's whole request head
  Micros client_idle_timeout = std::chrono::seconds(60);  // keep-alive, between requests
  Micros body_idle_timeout = std::chrono::seconds(30);    // client's body or reading stands still
  Micros tunnel_idle_timeout = std::chrono::minutes(10);  // WebSocket: nothing either way
  // Of upstreams; an api may have its own (apis::TimeoutOptions).
  Micros connect_timeout = apis::UpstreamTimeouts{}.connect;
  Micros tls_timeout = apis::UpstreamTimeouts{}.tls;
  Micros first_byte_timeout = apis::UpstreamTimeouts{}.first_byte;
  Micros upstream_idle_timeout = apis::UpstreamTimeouts{}.idle;
  Micros pool_idle_timeout = std::chrono::seconds(30);  // unused upstream connections
  Micros drain_timeout = std::chrono::seconds(30);      // SIGTERM: time for requests under way

  friend bool operator==(const ProxyOptions&, const ProxyOptions&) = default;
};

}  // namespace apiquota::proxy
