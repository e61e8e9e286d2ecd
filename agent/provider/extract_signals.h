// The one pure function between the doors and the ledger. No I/O, no clock; thread-safe; never throws on any
// input.
#pragma once

#include <cstdint>

#include "http/exchange.h"
#include "provider/exporter.h"
#include "provider/signals.h"

namespace apiquota::provider {

// Headers that look like limits and that no rule describes: worth telling a person, and a look at every
// letter of every other header, which doors take of some answers only (metrics/unread_headers.h).
enum class Unknown : uint8_t { kName, kPassOver };

Signals ExtractSignals(const Exporter& exporter, const http::Exchange& exchange,
                       Unknown unknown = Unknown::kName);

}  // namespace apiquota::provider
