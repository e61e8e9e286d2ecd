#include "metrics/guard_metrics.h"

#include <utility>

#include "guard/decision.h"

namespace apiquota::metrics {
namespace {

using guard::Reason;
using guard::RetryCause;
using guard::RetryVerdict;
using guard::Verdict;

}  // namespace

GuardMetrics::GuardMetrics(AgentMetrics& families, std::string api)
    : families_(families), api_(std::move(api)) {
  Decision(static_cast<size_t>(Verdict::Kind::kAdmit), static_cast<size_t>(Reason::kNone), false);
  for (size_t cause = 0; cause < guard::kRetryCauses; ++cause) {
    Retry(cause, static_cast<size_t>(RetryVerdict::Kind::kRetry));
    Retry(cause, static_cast<size_t>(RetryVerdict::Kind::kBudget));
  }
  Blind();
  Coalescable();
  Batchable();
}

Counter& GuardMetrics::Decision(size_t kind, size_t rule, bool shadow) {
  return decisions_[kind][rule][shadow ? 1 : 0].Get([&] {
    return families_.guard_decisions.With({api_, std::string(ToText(static_cast<Reason>(rule))),
                                           std::string(ToText(static_cast<Verdict::Kind>(kind))),
                                           shadow ? "shadow" : "on"});
  });
}

Counter& GuardMetrics::Retry(size_t cause, size_t outcome) {
  return retries_[cause][outcome].Get([&] {
    return families_.guard_retries.With({api_, std::string(ToText(static_cast<RetryCause>(cause))),
                                         std::string(ToText(static_cast<RetryVerdict::Kind>(outcome)))});
  });
}

Counter& GuardMetrics::Blind() {
  return blind_.Get([&] { return families_.guard_blind.With({api_}); });
}

Counter& GuardMetrics::Coalescable() {
  return coalescable_.Get([&] { return families_.guard_coalescable.With({api_}); });
}

Counter& GuardMetrics::Batchable() {
  return batchable_.Get([&] { return families_.guard_batchable.With({api_}); });
}

void GuardMetrics::CountDecision(Verdict::Kind kind, Reason rule, guard::Mode mode) {
  Decision(static_cast<size_t>(kind), static_cast<size_t>(rule), mode == guard::Mode::kShadow).Add();
}

void GuardMetrics::ObserveDelay(Reason reason, Micros waited) {
  delays_[static_cast<size_t>(reason)]
      .Get([&] { return families_.guard_delay.With({api_, std::string(ToText(reason))}); })
      .Observe(ToSeconds(waited));
}

void GuardMetrics::CountRetry(RetryCause cause, RetryVerdict::Kind outcome) {
  if (outcome == RetryVerdict::Kind::kOff) return;
  Retry(static_cast<size_t>(cause), static_cast<size_t>(outcome)).Add();
}

void GuardMetrics::CountClientRetry(std::string_view caller) {
  const std::lock_guard lock(mutex_);
  auto found = client_retries_.find(caller);
  if (found == client_retries_.end()) {
    found =
        client_retries_
            .emplace(std::string(caller), families_.guard_client_retries.With({api_, std::string(caller)}))
            .first;
  }
  found->second->Add();
}

}  // namespace apiquota::metrics
