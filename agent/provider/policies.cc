#include "provider/policies.h"

#include <span>

#include "provider/structured_field.h"

namespace apiquota::provider {
namespace {

// A String or a Token: drafts 8 and later demand a String, their examples use Tokens as well.
std::optional<std::string> Name(const sf::BareItem& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* token = std::get_if<sf::Token>(&value)) return token->text;
  return std::nullopt;
}

std::optional<double> Quantity(const sf::BareItem& value) {
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<double>(*number);
}

std::optional<double> Parameter(const sf::Parameters& parameters, std::string_view key) {
  const auto* number = sf::FindParameter<int64_t>(parameters, key);
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<double>(*number);
}

std::string TextParameter(const sf::Parameters& parameters, std::string_view key) {
  const auto* text = sf::FindParameter<std::string>(parameters, key);
  return text == nullptr ? "" : *text;
}

std::string PartitionKey(const sf::Parameters& parameters) {
  const auto* key = sf::FindParameter<sf::ByteSequence>(parameters, "pk");
  return key == nullptr ? "" : key->bytes;
}

std::optional<double> Window(const sf::Parameters& parameters) {
  const auto window = Parameter(parameters, "w");
  return window && *window > 0 ? window : std::nullopt;
}

// `q`, or `l` as an unpublished draft had it.
std::optional<double> NamedLimit(const sf::Parameters& parameters) {
  const auto limit = Parameter(parameters, "q");
  return limit ? limit : Parameter(parameters, "l");
}

std::optional<Policy> ToPolicy(const sf::Item& item) {
  const sf::Parameters& parameters = item.parameters;
  Policy policy;
  policy.window_seconds = Window(parameters);
  policy.unit = TextParameter(parameters, "qu");
  policy.partition_key = PartitionKey(parameters);
  if (auto name = Name(item.value)) {
    policy.name = std::move(*name);
    policy.limit = NamedLimit(parameters);
    return policy;
  }
  policy.limit = Quantity(item.value);
  policy.name = TextParameter(parameters, "name");  // Envoy's comment
  if (!policy.limit) return std::nullopt;
  return policy;
}

PolicyStatus ToStatus(std::string name, const sf::Parameters& parameters) {
  PolicyStatus status;
  status.name = std::move(name);
  status.limit = NamedLimit(parameters);
  status.remaining = Parameter(parameters, "r");
  status.reset_seconds = Parameter(parameters, "t");
  status.window_seconds = Window(parameters);
  status.partition_key = PartitionKey(parameters);
  return status;
}

// Draft 7: limit=100, remaining=50, reset=5; also written with ";" where it wants ",", which makes them
// parameters.
std::optional<PolicyStatus> FromDictionary(const sf::Dictionary& dictionary) {
  PolicyStatus status;
  const auto take = [&](std::string_view key, const sf::BareItem& value) {
    if (key == "limit") status.limit = Quantity(value);
    if (key == "remaining") status.remaining = Quantity(value);
    if (key == "reset") status.reset_seconds = Quantity(value);
  };
  for (const auto& [key, member] : dictionary) {
    const auto* item = std::get_if<sf::Item>(&member);
    if (item == nullptr) continue;
    take(key, item->value);
    for (const auto& [parameter, value] : item->parameters) take(parameter, value);
  }
  if (!status.limit && !status.remaining && !status.reset_seconds) return std::nullopt;
  return status;
}

}  // namespace

std::optional<std::vector<Policy>> ParsePolicies(std::string_view text) {
  if (text.size() > kPolicyBytesMax) return std::nullopt;
  const auto list = sf::ParseList(text);
  if (!list) return std::nullopt;
  std::vector<Policy> policies;
  for (const sf::Member& member : *list) {
    const auto* item = std::get_if<sf::Item>(&member);
    if (item == nullptr) continue;
    if (auto policy = ToPolicy(*item)) policies.push_back(std::move(*policy));
  }
  return policies;
}

std::optional<std::vector<PolicyStatus>> ParsePolicyStatuses(std::string_view text) {
  if (text.size() > kPolicyBytesMax) return std::nullopt;
  std::vector<PolicyStatus> statuses;
  if (const auto list = sf::ParseList(text)) {
    for (const sf::Member& member : *list) {
      const auto* item = std::get_if<sf::Item>(&member);
      if (item == nullptr) continue;
      if (auto name = Name(item->value)) statuses.push_back(ToStatus(std::move(*name), item->parameters));
    }
    return statuses;
  }
  const auto dictionary = sf::ParseDictionary(text);
  if (!dictionary) return std::nullopt;
  if (auto status = FromDictionary(*dictionary)) statuses.push_back(std::move(*status));
  return statuses;
}

}  // namespace apiquota::provider
