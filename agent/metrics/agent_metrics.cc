#include "metrics/agent_metrics.h"

#include <string>
#include <utility>
#include <vector>

namespace apiquota::metrics {
namespace {

// Models answer in minutes, loopback services in a millisecond.
const std::vector<double> kDurationSeconds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                              2.5,   5,    10,    30,   60,  120,  300, 600};
const std::vector<double> kRetryAfterSeconds = {0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 86400};
const std::vector<double> kOverheadSeconds = {0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005,
                                              0.001,   0.0025,   0.005,   0.01,   0.05,    0.25};
// A window of a minute is waited for at most; queues of an api on its own may hold requests for longer.
const std::vector<double> kDelaySeconds = {0.01, 0.05, 0.1, 0.25, 0.5, 1,  2.5, 5,
                                           10,   20,   30,  45,   60,  90, 300};

Family<Counter>& Counters(Registry& registry, std::string name, std::string help,
                          std::vector<std::string> labels) {
  return registry.AddCounters({std::move(name), std::move(help), std::move(labels), {}});
}

Family<Histogram>& Histograms(Registry& registry, std::string name, std::string help,
                              std::vector<std::string> labels, const std::vector<double>& bounds) {
  return registry.AddHistograms({std::move(name), std::move(help), std::move(labels), bounds});
}

}  // namespace

AgentMetrics::AgentMetrics(Registry& r)
    : registry(r),
      proxy_requests(Counters(r, "apiquota_proxy_requests_total",
                              "Answers given to the proxy's clients, the agent's own refusals included.",
                              {"api", "code"})),
      upstream_requests(Counters(r, "apiquota_upstream_requests_total",
                                 "Requests sent to the API that were answered, by the status of the answer.",
                                 {"api", "key", "caller", "method", "code", "door"})),
      upstream_errors(Counters(r, "apiquota_upstream_errors_total",
                               "Requests to the API that failed before a whole answer had arrived.",
                               {"api", "reason"})),
      throttles(Counters(r, "apiquota_throttles_total",
                         "Answers by which the API refused or slowed the caller, by the limit it named and "
                         "where it said so.",
                         {"api", "key", "caller", "resource", "scope", "signal"})),
      tokens(Counters(r, "apiquota_tokens_total",
                      "Tokens that answers say they cost; the types are disjoint and add up to the total.",
                      {"api", "key", "caller", "resource", "type", "source"})),
      auth_failures(
          Counters(r, "apiquota_auth_failures_total",
                   "Answers by which the API rejected the credential (401, and 403 that is no throttle).",
                   {"api", "key"})),
      poll_cost(
          Counters(r, "apiquota_poll_cost_total",
                   "What the agent's own polls took from the quota, as the exporter's file prices one; free "
                   "ones cost 0.",
                   {"api", "key", "unit"})),
      quota_conflicts(Counters(
          r, "apiquota_quota_conflicts_total",
          "Readings under whose name another limiter spoke as well; the stricter one is shown.", {"api"})),
      parse_errors(Counters(
          r, "apiquota_parse_errors_total",
          "Values in answers that describe a limit but can't be read or can't be true, and bodies that "
          "can't be read; they are ignored.",
          {"api", "field"})),
      http_rejected(Counters(r, "apiquota_http_rejected_total",
                             "Requests and connections the proxy refused before any API was asked.",
                             {"reason"})),
      retry_after(Histograms(r, "apiquota_retry_after_seconds",
                             "Waiting times the API asked for in Retry-After and its relatives.", {"api"},
                             kRetryAfterSeconds)),
      upstream_duration(
          Histograms(r, "apiquota_upstream_duration_seconds",
                     "Time from sending a request to the API until the last byte of its answer.", {"api"},
                     kDurationSeconds)),
      upstream_first_byte(
          Histograms(r, "apiquota_upstream_first_byte_seconds",
                     "Time from sending a request to the API until the first byte of its answer.", {"api"},
                     kDurationSeconds)),
      overhead(
          Histograms(r, "apiquota_overhead_seconds",
                     "Time the agent itself added: phase request is from the client's head to the upstream "
                     "write, phase response from the upstream's first byte to the client's.",
                     {"api", "phase"}, kOverheadSeconds)),
      guard_decisions(
          Counters(r, "apiquota_decisions_total",
                   "What the guard decided about requests, and by which rule; mode shadow: what it "
                   "would have decided.",
                   {"api", "rule", "decision", "mode"})),
      guard_retries(Counters(r, "apiquota_retries_total",
                             "Further attempts that failed requests called for, by what came of it: made, or "
                             "why not.",
                             {"api", "reason", "outcome"})),
      guard_client_retries(Counters(r, "apiquota_client_retries_total",
                                    "Requests that a client itself says it sends again "
                                    "(x-stainless-retry-count), while the api is guarded.",
                                    {"api", "caller"})),
      guard_blind(
          Counters(r, "apiquota_guard_blind_total",
                   "Requests of which the guard could not know the resource whose quota they use; only "
                   "quotas of no resource were kept.",
                   {"api"})),
      guard_coalescable(
          Counters(r, "apiquota_coalescable_requests_total",
                   "Calls that were the same as one of the same key within the ten minutes before: method, "
                   "target and body.",
                   {"api"})),
      guard_batchable(Counters(r, "apiquota_batchable_requests_total",
                               "Answered calls that the API's batch endpoint would have taken.", {"api"})),
      guard_delay(
          Histograms(r, "apiquota_delay_seconds",
                     "Time that requests waited for their turn, by what they waited for longest; those "
                     "that went at once are not in it.",
                     {"api", "reason"}, kDelaySeconds)),
      cache_requests(Counters(r, "apiquota_cache_requests_total",
                              "Requests that reached a cache, by what came of them.", {"api", "result"})),
      quota_saved(Counters(r, "apiquota_quota_saved_total",
                           "What requests would have taken of quotas that were answered from memory, or "
                           "with the answer to another one.",
                           {"api", "unit"})) {}

}  // namespace apiquota::metrics
