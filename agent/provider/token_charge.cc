#include "provider/token_charge.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota::provider {
namespace {

constexpr double kTokensMax = 1e9;  // of one answer; a larger cap is nobody's
constexpr double kTimesMax = 1024;  // answers to one request

bool Fits(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const std::string_view suffix = pattern.substr(star + 1);
  return name.size() >= star + suffix.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(suffix);
}

// The largest number from `least` to `most` at any of the pointers.
std::optional<double> Largest(const std::vector<std::string>& pointers,
                              const std::vector<http::BodyValue>& body, double least, double most) {
  std::optional<double> largest;
  for (const http::BodyValue& value : body) {
    if (std::ranges::find(pointers, value.pointer) == pointers.end()) continue;
    const auto number = ParseDecimal(value.value);
    if (number && *number >= least && *number <= most) largest = std::max(largest.value_or(least), *number);
  }
  return largest;
}

double Of(const TokenUsage& usage, TokenType type) {
  return static_cast<double>(usage[static_cast<size_t>(type)]);
}

}  // namespace

const QuotaCharge& ChargeOf(const ChargeRule& rule, std::string_view quota) {
  for (const ChargeRule::Named& named : rule.by_quota) {
    if (Fits(quota, named.quota)) return named.charge;
  }
  return rule.charge;
}

RequestFacts FactsOf(const ChargeRule& rule, const std::vector<http::BodyValue>& body, const BodySize& size,
                     bool ended) {
  return {.size = size,
          .ended = ended,
          .cap = Largest(rule.caps, body, 0, kTokensMax),
          .times = Largest(rule.times, body, 1, kTimesMax).value_or(1)};
}

TokenEstimate Estimate(const ChargeRule& rule, const RequestFacts& facts, double tokens_per_byte,
                       double expected_output) {
  TokenEstimate estimate;
  estimate.media = facts.size.media * rule.media;
  estimate.input = static_cast<double>(facts.size.text_bytes) * tokens_per_byte + estimate.media;
  estimate.capped = facts.cap && rule.charge.cap != CapCharge::kIgnored;
  const double expected = std::min(expected_output, facts.cap.value_or(expected_output));
  estimate.output = (estimate.capped ? *facts.cap : expected) * facts.times;
  return estimate;
}

double Reserved(const QuotaCharge& charge, const TokenEstimate& estimate) {
  switch (charge.counts) {
    case TokenSide::kInput:
      return estimate.input;
    case TokenSide::kOutput:
      return estimate.output;
    case TokenSide::kBoth:
      break;
  }
  const bool larger = estimate.capped && charge.cap == CapCharge::kMax;
  return larger ? std::max(estimate.input, estimate.output) : estimate.input + estimate.output;
}

double Charged(const QuotaCharge& charge, const TokenUsage& usage) {
  const double cached = charge.cached_free ? 0 : Of(usage, TokenType::kCachedInput);
  const double input = Of(usage, TokenType::kInput) + Of(usage, TokenType::kCacheWrite) + cached;
  const double output = Of(usage, TokenType::kOutput) + Of(usage, TokenType::kReasoning);
  if (charge.counts == TokenSide::kInput) return input;
  return charge.counts == TokenSide::kOutput ? output : input + output;
}

double Charged(const ChargeRule& rule, std::string_view quota, const TokenUsage& usage) {
  return Charged(ChargeOf(rule, quota), usage);
}

}  // namespace apiquota::provider
