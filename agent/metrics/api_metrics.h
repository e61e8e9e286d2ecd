// One api's metric handles, found once and kept, so that a request costs no label lookup. Children
// that the configuration makes known (codes 200 and 429, the exporter's own throttles, every
// configured key) exist from the start at 0. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "http/exchange.h"
#include "metrics/agent_metrics.h"
#include "metrics/reasons.h"
#include "provider/exporter.h"

namespace apiquota::metrics {

class ApiMetrics;

// The counters of one (api, key, caller). Lives as long as its ApiMetrics.
class KeyMetrics {
 public:
  KeyMetrics(ApiMetrics& api, std::string key, std::string caller);

  // upstream_requests of this method and code. A lock and a lookup: callers keep the
  // last answer.
  Counter& UpstreamRequests(http::Door door, std::string_view method, int code);
  void CountThrottle(const provider::Throttle& throttle);
  // Tokens that a reply reported. Beyond 64 resources of a key: "other".
  void CountTokens(std::string_view resource, const provider::TokenUsage& usage);
  Counter& auth_failures() { return auth_failures_; }

 private:
  ApiMetrics& api_;
  std::string key_, caller_;
  Counter& auth_failures_;
  std::mutex mutex_;
  std::map<std::tuple<http::Door, std::string_view, int>, Counter*> requests_;  // guarded by mutex_
  using TokenCounters = std::array<Counter*, provider::kTokenTypes>;
  std::map<std::string, TokenCounters, std::less<>> tokens_;  // by resource; guarded by mutex_
};

class ApiMetrics {
 public:
  // `keys` are the configured aliases, `callers` the names of those who may use the api.
  ApiMetrics(AgentMetrics& families, std::string api, const provider::ExporterInfo& exporter,
             const std::vector<std::string>& keys, const std::vector<std::string>& callers);

  // The handle of a key's label; beyond 100 keys met at run time, that of "other".
  KeyMetrics& ForKey(std::string_view key, std::string_view caller);

  Counter& ProxyRequests(int code);
  Counter& UpstreamErrors(UpstreamError error);
  // Counts it and tells of it, in one folded line per api and reason. `detail` says more than the reason
  // does, without anything that a client or an upstream sent; empty: the reason's own sentence.
  void CountUpstreamError(UpstreamError error, std::string_view detail = {});
  // What a response said and could not be read: counted and told, in one folded line per api and field.
  void CountParseError(provider::SignalField field);
  void CountObservationFailure(std::string_view what);  // an exception: field "exception"
  Counter& PollCost(const std::string& key, const std::string& unit);

  AgentMetrics& families() { return families_; }
  const std::string& api() const { return api_; }

  Histogram& retry_after;
  Histogram& upstream_duration;
  Histogram& upstream_first_byte;
  Histogram& overhead_request;
  Histogram& overhead_response;

 private:
  AgentMetrics& families_;
  std::string api_;
  std::array<std::atomic<Counter*>, 1000> proxy_requests_{};
  std::array<Counter*, kUpstreamErrorCount> upstream_errors_{};
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<KeyMetrics>, std::less<>>
      keys_;  // by key, caller
  size_t keys_met_ = 0;
};

}  // namespace apiquota::metrics
