#include "expose/explain.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace apiquota::expose {
namespace {

using Json = nlohmann::ordered_json;

// Whole numbers without a point, as providers write them.
Json Number(const std::optional<double>& value) {
  constexpr double kExactMax = 9007199254740992.0;  // 2^53
  if (!value) return nullptr;
  if (*value == std::floor(*value) && std::fabs(*value) < kExactMax) return static_cast<int64_t>(*value);
  return *value;
}

Json ThrottleJson(const std::optional<provider::Throttle>& throttle) {
  if (!throttle) return nullptr;
  return {{"scope", ToText(throttle->scope)}, {"signal", ToText(throttle->signal)}};
}

Json QuotaJson(const provider::Reading& reading) {
  Json derived = Json::array();
  for (const provider::SignalField field : reading.derived) derived.push_back(ToText(field));
  return {{"resource", reading.resource},
          {"quota", reading.quota},
          {"unit", reading.unit},
          {"kind", ToText(reading.kind)},
          {"limit", Number(reading.limit)},
          {"remaining", Number(reading.remaining)},
          {"used", Number(reading.used)},
          {"window_seconds", Number(reading.window_seconds)},
          {"reset_at", reading.reset_at ? Json(ToUnixSeconds(*reading.reset_at)) : Json()},
          {"policy", reading.policy ? Json(*reading.policy) : Json()},
          {"derived", std::move(derived)}};
}

// The types that cost something.
Json UsageJson(const provider::TokenUsage& usage) {
  Json json = Json::object();
  for (size_t i = 0; i < usage.size(); ++i) {
    if (usage.at(i) > 0) json[std::string(ToText(static_cast<provider::TokenType>(i)))] = usage.at(i);
  }
  return json;
}

}  // namespace

bool Understood(const provider::Signals& signals) {
  return !signals.readings.empty() || signals.throttle.has_value();
}

std::string ExplainAsJson(const Explanation& explanation) {
  const provider::Signals& signals = explanation.signals;
  Json quotas = Json::array();
  for (const provider::Reading& reading : signals.readings) quotas.push_back(QuotaJson(reading));
  Json unread = Json::array();
  for (const provider::Unread& entry : signals.unread) {
    unread.push_back({{"header", entry.header}, {"reason", entry.reason}});
  }
  const Json retry_after = signals.retry_after_seconds ? Json(*signals.retry_after_seconds) : Json();
  Json document = {{"exporter", explanation.exporter},
                   {"status", explanation.status},
                   {"throttle", ThrottleJson(signals.throttle)},
                   {"retry_after_seconds", retry_after},
                   {"quotas", std::move(quotas)},
                   {"unread", std::move(unread)}};
  if (signals.usage) document["usage"] = UsageJson(*signals.usage);
  // Names come from headers and bodies: whatever is not UTF-8 there is replaced, never thrown about.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace apiquota::expose
