// The one pure function between the doors and the ledger. No I/O, no clock; thread-safe; never throws on any
// input.
#pragma once

#include "http/exchange.h"
#include "provider/exporter.h"
#include "provider/signals.h"

namespace apiquota::provider {

Signals ExtractSignals(const Exporter& exporter, const http::Exchange& exchange);

}  // namespace apiquota::provider
