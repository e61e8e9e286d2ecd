#include "apis/guarded.h"

namespace apiquota::apis {

namespace {

constexpr provider::QuotaCharge Of(provider::TokenSide side) { return {.counts = side}; }

}  // namespace

guard::TokenCost CostOf(const provider::ExporterInfo& exporter, const provider::TokenUsage& usage) {
  const provider::QuotaCharge counted = exporter.charge ? exporter.charge->charge : provider::QuotaCharge();
  return {.input = Charged(Of(provider::TokenSide::kInput), usage),
          .output = Charged(Of(provider::TokenSide::kOutput), usage),
          .counted = Charged(counted, usage)};
}

guard::TokenCost CostOf(const provider::ChargeRule& charge, const provider::TokenEstimate& estimate) {
  return {.input = Reserved(Of(provider::TokenSide::kInput), estimate),
          .output = Reserved(Of(provider::TokenSide::kOutput), estimate),
          .counted = Reserved(charge.charge, estimate)};
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
