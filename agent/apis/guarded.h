// What an exchange says, in the guard's words. Pure; thread-safe.
#pragma once

#include "guard/values.h"
#include "http/exchange.h"
#include "provider/exporter.h"
#include "provider/signals.h"
#include "provider/token_charge.h"

namespace apiquota::apis {

// What an answer's usage costs quotas, and what a request is expected to, as the exporter's file says that
// they count.
guard::TokenCost CostOf(const provider::ExporterInfo& exporter, const provider::TokenUsage& usage);
guard::TokenCost CostOf(const provider::ChargeRule& charge, const provider::TokenEstimate& estimate);

// Views into both.
guard::Answer AnswerOf(const http::Exchange& exchange, const provider::Signals& signals);

}  // namespace apiquota::apis
