// What the guard decided for one api, as counters and histograms whose handles are found once and kept: a
// request costs no label lookup. Made when the guard is first asked about the api (ApiMetrics::guard()), so
// an api that nobody guards has none of these series.
//
// At 0 from the start are those that alert rules compare with: requests that went at once, further attempts
// that were made or that the budget kept back, and requests whose resource was not known. Thread-safe; lives
// as long as its ApiMetrics.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "guard/options.h"
#include "guard/values.h"
#include "metrics/agent_metrics.h"

namespace apiquota::metrics {

class GuardMetrics {
 public:
  GuardMetrics(AgentMetrics& families, std::string api);

  // What came of a question: allow, delay or reject. `mode` is that of what was asked: shadow if its word
  // changed nothing. A request that waited and could not be served then is told again, as a refusal.
  void CountDecision(guard::Verdict::Kind kind, guard::Reason rule, guard::Mode mode);
  // A wait that is over, whatever came of it: by what it waited for longest.
  void ObserveDelay(guard::Reason reason, Micros waited);
  // What came of the wish for another attempt; kOff counts nothing.
  void CountRetry(guard::RetryCause cause, guard::RetryVerdict::Kind outcome);
  // A client says that it is asking again (x-stainless-retry-count); `caller` is empty where nobody is known.
  void CountClientRetry(std::string_view caller);
  // The api's quotas are apart by resource, and nobody could say which one the request is for.
  void CountBlind() { Blind().Add(); }
  // A call that was sent (guard/call_report.h).
  void CountCall(bool identical, bool batchable) {
    if (identical) Coalescable().Add();
    if (batchable) Batchable().Add();
  }

 private:
  static constexpr size_t kVerdicts = 3;
  static constexpr size_t kReasons = guard::kReasons;
  static constexpr size_t kOutcomes = 7;

  Counter& Decision(size_t kind, size_t rule, bool shadow);
  Counter& Retry(size_t cause, size_t outcome);
  Counter& Blind();
  Counter& Coalescable();
  Counter& Batchable();

  AgentMetrics& families_;
  const std::string api_;
  std::array<std::array<std::array<LazyChild<Counter>, 2>, kReasons>, kVerdicts> decisions_;
  std::array<LazyChild<Histogram>, kReasons> delays_;
  std::array<std::array<LazyChild<Counter>, kOutcomes>, guard::kRetryCauses> retries_;
  LazyChild<Counter> blind_, coalescable_, batchable_;
  std::mutex mutex_;
  // By caller, of which there are as many as the configuration names; guarded by mutex_.
  std::map<std::string, std::shared_ptr<Counter>, std::less<>> client_retries_;
};

}  // namespace apiquota::metrics
