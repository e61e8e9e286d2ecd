// The throttle rules of an exporter file.
#include <span>
#include <utility>

#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

constexpr std::pair<std::string_view, ThrottleScope> kScopes[] = {
    {"primary", ThrottleScope::kPrimary},
    {"secondary", ThrottleScope::kSecondary},
    {"concurrency", ThrottleScope::kConcurrency},
    {"overload", ThrottleScope::kOverload},
    {"spend", ThrottleScope::kSpend},
    {"unknown", ThrottleScope::kUnknown}};

Condition OneCondition(Condition::On on, const YamlValue& value) {
  Condition condition;
  condition.on = on;
  YamlMap map = value.AsMap();
  condition.name = on == Condition::On::kHeader ? LoadHeaderName(map.Require("name"))
                                                : LoadPointer(map.Require("pointer"));
  const YamlValue equals = map.Get("equals");
  const YamlValue contains = map.Get("contains");
  if (equals.Present() && contains.Present()) contains.Fail("expected equals or contains, not both");
  if (equals.Present()) condition.test = Condition::Test::kEquals;
  if (contains.Present()) condition.test = Condition::Test::kContains;
  condition.text = equals.Present() ? equals.AsString() : contains.AsString();
  map.Finish();
  return condition;
}

}  // namespace

ThrottleRule LoadThrottleRule(const YamlValue& value) {
  ThrottleRule rule;
  YamlMap map = value.AsMap();
  for (const YamlValue& status : map.Require("status").AsListOrSingle()) {
    rule.statuses.push_back(static_cast<int>(status.AsInteger(100, 599)));
  }
  if (rule.statuses.empty()) value.Fail("expected at least one status");
  rule.path = map.Get("path").AsString();
  for (const YamlValue& item : map.Get("header").AsListOrSingle()) {
    rule.conditions.push_back(OneCondition(Condition::On::kHeader, item));
  }
  for (const YamlValue& item : map.Get("body").AsListOrSingle()) {
    rule.conditions.push_back(OneCondition(Condition::On::kBody, item));
  }
  rule.scope =
      map.Require("scope").AsEnum(std::span<const std::pair<std::string_view, ThrottleScope>>(kScopes));
  map.Finish();
  return rule;
}

}  // namespace apiquota::provider
