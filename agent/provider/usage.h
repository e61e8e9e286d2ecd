// How many tokens a reply says it cost, by type. Pure.
#pragma once

#include <optional>

#include "http/exchange.h"
#include "provider/exporter_rules.h"

namespace apiquota::provider {

// Nothing if the reply does not say. A text that is no count of tokens is as if it were not there.
std::optional<TokenUsage> FindUsage(const Exporter& exporter, const http::Exchange& exchange);

}  // namespace apiquota::provider
