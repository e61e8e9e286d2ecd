// The throttle rules of an exporter file.
#include <algorithm>
#include <span>
#include <utility>

#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

Condition OneCondition(Condition::On on, const YamlValue& value) {
  Condition condition;
  condition.on = on;
  const bool header = on == Condition::On::kHeader;
  RuleMap map(value, header ? "header_condition" : "body_condition");
  condition.name = header ? LoadHeaderName(map.Get("name")) : LoadPointer(map.Get("pointer"));
  const YamlValue equals = map.Get("equals");
  const YamlValue contains = map.Get("contains");
  if (equals.Present() && contains.Present()) contains.Fail("expected equals or contains, not both");
  if (equals.Present()) condition.test = Condition::Test::kEquals;
  if (contains.Present()) condition.test = Condition::Test::kContains;
  condition.text = LoadText(equals.Present() ? equals : contains);
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
  RuleMap map(value, "when");
  When when{LoadStatuses(map.Get("status")), LoadPathPrefix(map.Get("path")),
            LoadConditions(Condition::On::kHeader, map.Get("header"))};
  if (const YamlValue events = map.Get("events"); events.Present()) when.events = events.AsBool();
  map.Finish();
  return when;
}

ThrottleRule LoadThrottleRule(const YamlValue& value) {
  constexpr std::pair<std::string_view, Condition::On> kOn[] = {
      {"header", Condition::On::kHeader}, {"body", Condition::On::kBody}, {"stream", Condition::On::kStream}};
  ThrottleRule rule;
  RuleMap map(value, "throttle");
  rule.statuses = LoadStatuses(map.Get("status"));
  if (rule.statuses.empty()) value.Fail("expected at least one status");
  rule.path = LoadPathPrefix(map.Get("path"));
  for (const auto& [key, on] : kOn) {
    for (Condition& condition : LoadConditions(on, map.Get(key)))
      rule.conditions.push_back(std::move(condition));
  }
  const auto served = [](int status) { return status < 400; };
  if (rule.conditions.empty() && rule.path.empty() && std::ranges::any_of(rule.statuses, served)) {
    map.Get("status").Fail(
        "expected a path, header, body or stream beside a status that is no refusal by itself");
  }
  rule.scope =
      map.Get("scope").AsEnum(std::span<const std::pair<std::string_view, ThrottleScope>>(kScopeWords));
  map.Finish();
  return rule;
}

}  // namespace apiquota::provider
