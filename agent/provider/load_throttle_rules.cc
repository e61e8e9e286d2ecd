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

std::vector<Condition> LoadConditions(Condition::On on, const YamlValue& value) {
  std::vector<Condition> conditions;
  for (const YamlValue& item : value.AsListOrSingle()) conditions.push_back(OneCondition(on, item));
  return conditions;
}

std::vector<int> LoadStatuses(const YamlValue& value) {
  std::vector<int> statuses;
  for (const YamlValue& status : value.AsListOrSingle()) {
    statuses.push_back(static_cast<int>(status.AsInteger(100, 999)));
  }
  return statuses;
}

When LoadWhen(const YamlValue& value) {
  if (!value.Present()) return {};
  YamlMap map = value.AsMap();
  When when{LoadStatuses(map.Get("status")), map.Get("path").AsString(),
            LoadConditions(Condition::On::kHeader, map.Get("header"))};
  if (const YamlValue events = map.Get("events"); events.Present()) when.events = events.AsBool();
  map.Finish();
  return when;
}

ThrottleRule LoadThrottleRule(const YamlValue& value) {
  constexpr std::pair<std::string_view, Condition::On> kOn[] = {
      {"header", Condition::On::kHeader}, {"body", Condition::On::kBody}, {"stream", Condition::On::kStream}};
  ThrottleRule rule;
  YamlMap map = value.AsMap();
  rule.statuses = LoadStatuses(map.Require("status"));
  if (rule.statuses.empty()) value.Fail("expected at least one status");
  rule.path = map.Get("path").AsString();
  for (const auto& [key, on] : kOn) {
    for (Condition& condition : LoadConditions(on, map.Get(key)))
      rule.conditions.push_back(std::move(condition));
  }
  rule.scope =
      map.Require("scope").AsEnum(std::span<const std::pair<std::string_view, ThrottleScope>>(kScopes));
  map.Finish();
  return rule;
}

}  // namespace apiquota::provider
