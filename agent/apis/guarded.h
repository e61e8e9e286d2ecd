// What an exchange says, in the guard's words. Pure; thread-safe.
#pragma once

#include "guard/values.h"
#include "http/exchange.h"
#include "provider/signals.h"

namespace apiquota::apis {

// By sides; what is counted of both together is all of it.
guard::TokenCost CostOf(const provider::TokenUsage& usage);

// Views into both.
guard::Answer AnswerOf(const http::Exchange& exchange, const provider::Signals& signals);

}  // namespace apiquota::apis
