// Whether what a rule asks for holds of an exchange. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "provider/exporter_rules.h"

namespace apiquota::provider {

// `values` are what conditions on bodies or stream events look at.
bool Holds(const Condition& condition, const http::Fields& fields,
           const std::vector<http::BodyValue>& values);
bool Holds(const When& when, const http::Exchange& exchange);

// Of the rules that hold, the one with most conditions; then the file's order.
std::optional<Throttle> FindThrottle(const Exporter& exporter, const http::Exchange& exchange,
                                     std::string_view resource);

// Whether one event of a stream is what some throttle rule looks for there.
bool SpeaksOfThrottle(const Exporter& exporter, const std::vector<http::BodyValue>& event);

}  // namespace apiquota::provider
