#include "simulate/limit_options.h"

#include <algorithm>
#include <cmath>

namespace apiquota::simulate {

std::string_view ToText(LimitKind kind) { return kLimitKindWords[static_cast<size_t>(kind)].first; }

std::string_view ToText(LimitUnit unit) {
  constexpr std::array<std::string_view, 5> kWords = {"requests", "tokens", "input-tokens", "output-tokens",
                                                      "other"};
  return kWords[static_cast<size_t>(unit)];
}

double CostIn(LimitUnit unit, const CallCost& cost) {
  switch (unit) {
    case LimitUnit::kTokens:
      return cost.input_tokens + cost.output_tokens;
    case LimitUnit::kInputTokens:
      return cost.input_tokens;
    case LimitUnit::kOutputTokens:
      return cost.output_tokens;
    case LimitUnit::kOther:
      return cost.other;
    default:
      return 1;
  }
}

double AskedCostIn(const LimitOptions& options, const CallCost& asked) {
  const bool output = options.unit == LimitUnit::kTokens || options.unit == LimitUnit::kOutputTokens;
  if (!output || options.cap == CapCharge::kSum) return CostIn(options.unit, asked);
  const double input = options.unit == LimitUnit::kTokens ? asked.input_tokens : 0;
  return options.cap == CapCharge::kMax ? std::max(input, asked.output_tokens) : input;
}

LimitOptions SubLimitOf(const LimitOptions& options) {
  LimitOptions sub = options;
  sub.name = options.name + " (sub-limit)";
  if (sub.kind == LimitKind::kElastic) sub.kind = LimitKind::kFixed;
  sub.window = options.sub_window.value_or(options.window);
  sub.limit = std::max(1.0, std::ceil(options.limit * ToSeconds(sub.window) / ToSeconds(options.window)));
  sub.burst = 0;
  sub.sub_window.reset();
  return sub;
}

}  // namespace apiquota::simulate
