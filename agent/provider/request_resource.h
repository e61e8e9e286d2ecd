// What a request itself says of the resource it is about (the model in its body or its path), before it is
// sent: what ExtractSignals says of the exchange later. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.h"
#include "provider/exporter.h"
#include "provider/exporter_rules.h"

namespace apiquota::provider {

// Reads method, path and request_body alone. Empty: the request is about no resource. Nothing: its answer may
// name one.
std::optional<std::string> RequestResource(const Exporter& exporter, const http::Exchange& request);

// Whether a body that has not come yet may name it: worth waiting for.
bool BodyMayNameResource(const Exporter& exporter, const http::Exchange& request);

// By one rule of those that read requests; nothing if it does not hold.
std::optional<std::string_view> NamedByRequest(const ResourceRule& rule, const http::Exchange& request);

}  // namespace apiquota::provider
