#include "apis/guarded.h"

namespace apiquota::apis {

guard::TokenCost CostOf(const provider::TokenUsage& usage) {
  guard::TokenCost cost;
  for (size_t i = 0; i < usage.size(); ++i) {
    const auto type = static_cast<provider::TokenType>(i);
    const bool output = type == provider::TokenType::kOutput || type == provider::TokenType::kReasoning;
    (output ? cost.output : cost.input) += static_cast<double>(usage[i]);
  }
  cost.counted = cost.input + cost.output;
  return cost;
}

guard::Answer AnswerOf(const http::Exchange& exchange, const provider::Signals& signals) {
  return {.status = exchange.status,
          .received_at = exchange.received_at,
          .date = exchange.date,
          .resource = signals.resource,
          .readings = signals.readings,
          .throttle = signals.throttle ? &*signals.throttle : nullptr,
          .retry_after_seconds = signals.retry_after_seconds};
}

}  // namespace apiquota::apis
