// One api's metric handles, found once and kept, so that a request costs no label lookup. A series appears
// when it is first counted; from the start, at 0, exist only those that alert rules compare with
// (docs/metrics.md): for each configured key its requests (codes 200 and 429), its rejections, and the
// exporter's own throttles. Thread-safe.
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
#include "metrics/cache_metrics.h"
#include "metrics/guard_metrics.h"
#include "metrics/reasons.h"
#include "metrics/unread_headers.h"
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
  Counter& auth_failures() { return *auth_failures_; }

 private:
  ApiMetrics& api_;
  std::string key_, caller_;
  const std::shared_ptr<Counter> auth_failures_;
  std::mutex mutex_;
  std::map<std::tuple<http::Door, std::string_view, int>, std::shared_ptr<Counter>>
      requests_;  // guarded by mutex_
  using TokenCounters = std::array<std::shared_ptr<Counter>, provider::kTokenTypes>;
  std::map<std::string, TokenCounters, std::less<>> tokens_;  // by resource; guarded by mutex_
};

class ApiMetrics {
 public:
  // `keys` are the configured aliases.
  ApiMetrics(AgentMetrics& families, std::string api, const provider::ExporterInfo& exporter,
             const std::vector<std::string>& keys);

  // The handle of a key's label; beyond 100 keys met at run time, that of "other".
  KeyMetrics& ForKey(std::string_view key, std::string_view caller);

  Counter& ProxyRequests(int code);
  Counter& UpstreamErrors(UpstreamError error);
  // Counts it and tells of it, in one folded line per api and reason. `detail` says more than the reason
  // does, without anything that a client or an upstream sent; empty: the reason's own sentence.
  void CountUpstreamError(UpstreamError error, std::string_view detail = {});
  // What a response said and could not be read: counted and told, in one folded line per api and field.
  void CountParseError(provider::SignalField field);
  // Whether an answer of this status is to be looked through for headers that no rule describes; and what was
  // found in it.
  bool LooksForUnread(int status) { return unread_sampler_.Due(status); }
  void NoteUnread(const std::vector<provider::Unread>& unread) {
    families_.unread_headers.Note(unread_generation_, api_, unread);
  }
  void CountQuotaConflict();  // two limiters speak under one name: counted and told, folded
  void CountObservationFailure(std::string_view what);  // an exception: field "exception"
  void CountPollCost(const std::string& key, const std::string& unit, uint64_t cost);
  // Left out because of a cap that is kept elsewhere.
  void CountDropped(std::string_view family, uint64_t n) { families_.registry.CountDropped(api_, family, n); }

  // Of an api that is guarded; made when it is first asked for. Callers keep it.
  GuardMetrics& guard();
  CacheMetrics& cache();  // likewise, of one that has a cache

  AgentMetrics& families() { return families_; }
  const std::string& api() const { return api_; }

  // Histograms of a dozen series and more: nothing of them is on the page before the first observation.
  Histogram& retry_after() { return Lazy(retry_after_, families_.retry_after); }
  Histogram& upstream_duration() { return Lazy(upstream_duration_, families_.upstream_duration); }
  Histogram& upstream_first_byte() { return Lazy(upstream_first_byte_, families_.upstream_first_byte); }
  Histogram& overhead_request() { return Lazy(overhead_request_, families_.overhead, "request"); }
  Histogram& overhead_response() { return Lazy(overhead_response_, families_.overhead, "response"); }

 private:
  template <class... Labels>
  Histogram& Lazy(LazyChild<Histogram>& child, Family<Histogram>& family, Labels... labels) {
    return child.Get([&] { return family.With({api_, labels...}); });
  }

  AgentMetrics& families_;
  std::string api_;
  const uint64_t unread_generation_;
  UnreadSampler unread_sampler_;
  LazyChild<Histogram> retry_after_, upstream_duration_, upstream_first_byte_, overhead_request_,
      overhead_response_;
  std::array<LazyChild<Counter>, kUpstreamErrorCount> upstream_errors_;
  std::array<std::atomic<Counter*>, 1000> proxy_requests_{};
  std::mutex mutex_;
  std::map<int, std::shared_ptr<Counter>> proxy_requests_held_;  // guarded by mutex_
  std::map<std::pair<std::string, std::string>, std::unique_ptr<KeyMetrics>, std::less<>>
      keys_;  // by key, caller
  size_t keys_met_ = 0;
  std::once_flag guard_once_;
  std::unique_ptr<GuardMetrics> guard_;
  std::once_flag cache_once_;
  std::unique_ptr<CacheMetrics> cache_;
};

}  // namespace apiquota::metrics
