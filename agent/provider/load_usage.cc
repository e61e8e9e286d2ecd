// Where replies say what they cost.
#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>

#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

std::vector<std::string> Pointers(const YamlValue& value) {
  std::vector<std::string> pointers;
  for (const YamlValue& item : value.AsListOrSingle()) pointers.push_back(LoadPointer(item));
  return pointers;
}

// A pointer, a list of them, or {pointer: …, within: type}.
UsageRule OneType(TokenType type, const YamlValue& value) {
  UsageRule rule{type, {}, std::nullopt};
  if (!value.IsMap()) {
    rule.pointers = Pointers(value);
    return rule;
  }
  RuleMap map(value, "usage_within");
  rule.pointers = Pointers(map.Get("pointer"));
  const YamlValue within = map.Get("within");
  rule.within = within.AsEnum(std::span<const std::pair<std::string_view, TokenType>>(kTokenTypeWords));
  if (*rule.within == type) within.Fail("a type can't be counted within itself");
  map.Finish();
  return rule;
}

}  // namespace

std::vector<UsageRule> LoadUsage(const YamlValue& value) {
  std::vector<UsageRule> rules;
  if (!value.Present()) return rules;
  RuleMap map(value, "usage");
  for (const auto& [word, type] : kTokenTypeWords) {
    if (const YamlValue where = map.Get(word); where.Present()) rules.push_back(OneType(type, where));
  }
  map.Finish();
  if (rules.empty()) value.Fail("expected at least one type of tokens: input, output, …");
  return rules;
}

}  // namespace apiquota::provider
