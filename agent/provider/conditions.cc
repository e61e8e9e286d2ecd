#include "provider/conditions.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota::provider {
namespace {

bool Passes(const Condition& condition, std::string_view text) {
  if (condition.test == Condition::Test::kEquals) return EqualsIgnoreCase(Trim(text), condition.text);
  return condition.test == Condition::Test::kPresent || ContainsIgnoreCase(text, condition.text);
}

bool StatusFits(const std::vector<int>& statuses, int status) {
  return statuses.empty() || std::ranges::find(statuses, status) != statuses.end();
}

// A path that nobody told rules nothing out, as long as something else speaks for the rule.
bool PathFits(std::string_view prefix, const http::Exchange& exchange, bool other_evidence) {
  return http::PathBegins(exchange, prefix) || (exchange.path.empty() && other_evidence);
}

bool Holds(const ThrottleRule& rule, const http::Exchange& exchange) {
  if (!StatusFits(rule.statuses, exchange.status)) return false;
  if (!PathFits(rule.path, exchange, !rule.conditions.empty())) return false;
  return std::ranges::all_of(rule.conditions, [&](const Condition& c) {
    const bool stream = c.on == Condition::On::kStream;
    return Holds(c, exchange.fields, stream ? exchange.stream_event : exchange.response_body);
  });
}

}  // namespace

bool Holds(const Condition& condition, const http::Fields& fields,
           const std::vector<http::BodyValue>& values) {
  if (condition.on == Condition::On::kHeader) {
    const auto text = fields.Find(condition.name);
    return text && Passes(condition, *text);
  }
  return std::ranges::any_of(values, [&](const http::BodyValue& value) {
    return value.pointer == condition.name && Passes(condition, value.value);
  });
}

bool Holds(const When& when, const http::Exchange& exchange) {
  if (!StatusFits(when.statuses, exchange.status) || !PathFits(when.path, exchange, true)) return false;
  return std::ranges::all_of(when.headers, [&](const Condition& c) { return Holds(c, exchange.fields, {}); });
}

std::optional<Throttle> FindThrottle(const Exporter& exporter, const http::Exchange& exchange,
                                     std::string_view resource) {
  const auto status = static_cast<size_t>(exchange.status);
  const bool refusal = status < exporter.refusals.size() && exporter.refusals[status];
  if (!refusal && exchange.stream_event.empty()) return std::nullopt;
  const ThrottleRule* best = nullptr;
  for (const ThrottleRule& rule : exporter.throttles) {
    if (best != nullptr && rule.ConditionCount() <= best->ConditionCount()) continue;
    if (Holds(rule, exchange)) best = &rule;
  }
  if (best == nullptr) return std::nullopt;
  return Throttle{best->scope, best->Signal(), std::string(resource)};
}

bool SpeaksOfThrottle(const Exporter& exporter, const std::vector<http::BodyValue>& event) {
  return std::ranges::any_of(exporter.throttles, [&](const ThrottleRule& rule) {
    const auto fits = [&](const Condition& c) {
      return c.on != Condition::On::kStream || Holds(c, {}, event);
    };
    return rule.Signal() == ThrottleSignal::kStream && std::ranges::all_of(rule.conditions, fits);
  });
}

}  // namespace apiquota::provider
