// The families of what the agent did (requests, errors, throttles, times), registered in one place:
// the doors count into them, /metrics renders them, tests/golden/metrics.txt lists them. What
// providers said is in the ledger.
//
// Thread-safe like the families themselves. The references live as long as the registry. Label
// values in the order of the comments; With() costs locks, so doors keep the child (telemetry.h).
#pragma once

#include "metrics/telemetry.h"
#include "metrics/unread_headers.h"

namespace apiquota::metrics {

struct AgentMetrics {
  // REQUIRES: called once per registry, before anything is counted.
  explicit AgentMetrics(Registry& registry);

  Registry& registry;

  Family<Counter>& proxy_requests;         // api, code
  Family<Counter>& upstream_requests;      // api, key, caller, method, code, door
  Family<Counter>& upstream_errors;        // api, reason
  Family<Counter>& throttles;              // api, key, caller, resource, scope, signal
  Family<Counter>& tokens;                 // api, key, caller, resource, type, source
  Family<Counter>& auth_failures;          // api, key
  Family<Counter>& poll_cost;              // api, key, unit
  Family<Counter>& quota_conflicts;        // api
  Family<Counter>& parse_errors;           // api, field (provider::ToText of the SignalField, or "exception")
  Family<Counter>& http_rejected;          // reason
  Family<Histogram>& retry_after;          // api; seconds
  Family<Histogram>& upstream_duration;    // api; seconds
  Family<Histogram>& upstream_first_byte;  // api; seconds
  Family<Histogram>& overhead;             // api, phase; seconds
  Family<Counter>& guard_decisions;        // api, rule, decision, mode
  Family<Counter>& guard_retries;          // api, reason, outcome
  Family<Counter>& guard_client_retries;   // api, caller
  Family<Counter>& guard_blind;            // api
  Family<Counter>& guard_coalescable;      // api
  Family<Counter>& guard_batchable;        // api
  Family<Histogram>& guard_delay;          // api, reason; seconds
  Family<Counter>& cache_requests;         // api, result
  Family<Counter>& quota_saved;            // api, unit

  UnreadHeaders unread_headers;  // a gauge, rendered from the names
};

}  // namespace apiquota::metrics
