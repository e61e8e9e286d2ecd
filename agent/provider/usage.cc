#include "provider/usage.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace apiquota::provider {
namespace {

constexpr double kTokensMax = 1e9;  // of one exchange; more is nobody's count

// The most that is said at any of the rule's pointers: counts are cumulative, and the last event of a stream
// may say 0 of what an earlier one has said.
std::optional<uint64_t> Count(const UsageRule& rule, const std::vector<http::BodyValue>& values) {
  std::optional<uint64_t> most;
  for (const http::BodyValue& value : values) {
    if (std::ranges::find(rule.pointers, value.pointer) == rule.pointers.end()) continue;
    const auto number = ParseDecimal(value.value);
    if (!number || *number < 0 || *number > kTokensMax) continue;
    most = std::max(most.value_or(0), static_cast<uint64_t>(std::llround(*number)));
  }
  return most;
}

}  // namespace

std::optional<TokenUsage> FindUsage(const Exporter& exporter, const http::Exchange& exchange) {
  if (exporter.usage.empty() || exchange.response_body.empty()) return std::nullopt;
  TokenUsage usage{};
  bool said = false;
  for (const UsageRule& rule : exporter.usage) {
    const auto count = Count(rule, exchange.response_body);
    if (!count) continue;
    said = true;
    usage[static_cast<size_t>(rule.type)] = *count;
  }
  if (!said) return std::nullopt;
  for (const UsageRule& rule : exporter.usage) {
    if (!rule.within) continue;
    uint64_t& whole = usage[static_cast<size_t>(*rule.within)];
    whole -= std::min(whole, usage[static_cast<size_t>(rule.type)]);
  }
  return usage;
}

}  // namespace apiquota::provider
