// The quotas of an exporter file.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "provider/label.h"
#include "provider/quota_reader.h"
#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

void ReadWindow(const YamlValue& value, QuotaRule* rule, std::vector<FieldSource>* sources) {
  for (const YamlValue& item : value.AsListOrSingle()) {
    if (item.IsScalar()) {
      rule->window_rule = item.AsEnum(std::span<const std::pair<std::string_view, WindowRule>>(kWindowWords));
    } else {
      sources->push_back(LoadSource(SignalField::kWindow, item));
    }
  }
}

// Where members name the quotas, a * alone names none: any element will do, for all of them.
void ReadAnyForAll(QuotaRule* rule) {
  const auto named = [](const FieldSource& source) { return !source.named_by.empty(); };
  const auto some_named = [&](const auto& sources) { return std::ranges::any_of(sources, named); };
  if (std::ranges::none_of(rule->sources, some_named)) return;
  for (auto& sources : rule->sources) {
    for (FieldSource& source : sources) {
      if (source.from == FieldSource::From::kBody && !named(source)) source.several = false;
    }
  }
}

// A rule is one quota, or a family of them: named by the '*' of its headers' names, or by texts that speak of
// several.
void CheckStars(const YamlValue& value, const QuotaRule& rule) {
  const bool family = rule.quota.find('*') != std::string::npos;
  for (const auto& sources : rule.sources) {
    for (const FieldSource& source : sources) {
      if (source.from != FieldSource::From::kHeader) continue;
      const bool star = source.name.find('*') != std::string::npos;
      if (star && rule.several) value.Fail("a header with a *: names come from its texts already");
      if (star == family || (family && rule.several)) continue;
      value.Fail("the quota's name and all its headers hold a * or none does");
    }
  }
}

// What a kind can't have.
void CheckKind(RuleMap* map, const QuotaRule& rule) {
  const auto& windows = rule.Sources(SignalField::kWindow);
  const bool filling =
      std::ranges::any_of(windows, [](const auto& source) { return !source.fill_rate.empty(); });
  if (rule.kind != QuotaKind::kBucket && (rule.window_rule == WindowRule::kDerived || filling)) {
    map->Get("window").Fail("only a bucket's window follows from how fast it fills");
  }
  if (rule.kind != QuotaKind::kBalance) return;
  for (const std::string_view key : {"reset", "window"}) {
    if (const YamlValue value = map->Get(key); value.Present())
      value.Fail("a balance never comes back by itself");
  }
}

// A rule that reads nothing describes nothing.
void CheckSaysSomething(const YamlValue& value, const QuotaRule& rule) {
  const bool sources = std::ranges::any_of(std::span(rule.sources).first(rule.sources.size() - 1),
                                           [](const auto& s) { return !s.empty(); });
  if (!sources && rule.policy_header.empty() && rule.status_header.empty()) {
    value.Fail("expected at least one of limit, remaining, used, reset, policy and status");
  }
}

// "*", or {body: /list/*/name}
void ReadResource(const YamlValue& value, QuotaRule* rule) {
  rule->resource_from_star = true;
  if (value.IsScalar()) {
    if (value.AsString() != "*") value.Fail("expected \"*\": the first * of the rule's pointers");
    return;
  }
  RuleMap map(value, "resource_names");
  const YamlValue pointer = map.Get("body");
  rule->resource_pointer = LoadPointer(pointer);
  if (pointer.IsScalar() && rule->resource_pointer.find("/*") == std::string::npos)
    pointer.Fail("expected a pointer with the first * of the rule's others, such as /data/*/model");
  map.Finish();
}

ResourceException Exception(const std::string& resource, const YamlValue& value, const QuotaRule& rule) {
  ResourceException exception{resource, rule.quota, rule.unit, std::nullopt};
  RuleMap map(value, "by_resource");
  if (const YamlValue quota = map.Get("quota"); quota.Present()) exception.quota = LoadName(quota);
  if (const YamlValue unit = map.Get("unit"); unit.Present()) exception.unit = LoadUnit(unit);
  if (const YamlValue window = map.Get("window"); window.Present()) {
    exception.window_seconds = LoadSpan(window);
  }
  map.Finish();
  return exception;
}

}  // namespace

QuotaRule LoadQuotaRule(const YamlValue& value) {
  QuotaRule rule;
  RuleMap map(value, "quota");
  rule.quota = LoadName(map.Get("quota"));
  rule.when = LoadWhen(map.Get("when"));
  rule.unit = LoadUnit(map.Get("unit"));
  const auto kind = map.Get("kind").AsEnum(
      std::span<const std::pair<std::string_view, std::optional<QuotaKind>>>(kKindWords));
  rule.kind = kind.value_or(QuotaKind::kFixed);
  rule.kind_assumed = !kind;
  for (size_t f = 0; f < kQuotaFields.size(); ++f) {
    const SignalField field = kQuotaFields[f];
    const YamlValue sources = map.Get(ToText(field));
    if (field == SignalField::kWindow) {
      ReadWindow(sources, &rule, &rule.sources[f]);
      continue;
    }
    for (const YamlValue& item : sources.AsListOrSingle()) rule.sources[f].push_back(LoadSource(field, item));
  }
  if (const YamlValue header = map.Get("policy"); header.Present())
    rule.policy_header = LoadHeaderName(header);
  if (const YamlValue header = map.Get("status"); header.Present())
    rule.status_header = LoadHeaderName(header);
  for (const auto& [word, unit] : map.Get("units").AsMap().Entries()) {
    if (!FitForLabel(word)) unit.Fail("expected a word that the quota's name holds");
    rule.units.push_back({word, LoadUnit(unit)});
  }
  for (const auto& [resource, entry] : map.Get("by_resource").AsMap().Entries()) {
    if (!FitForLabel(resource))
      entry.Fail("expected the name of a resource, of 1 to 128 printable characters");
    rule.by_resource.push_back(Exception(resource, entry, rule));
  }
  if (const YamlValue resource = map.Get("resource"); resource.Present()) ReadResource(resource, &rule);
  ReadAnyForAll(&rule);
  for (const auto& sources : rule.sources) {
    rule.several = rule.several || std::ranges::any_of(sources, &FieldSource::several);
  }
  const auto params = [](const FieldSource& source) {
    return std::ranges::find(source.formats, Format::kParams) != source.formats.end();
  };
  rule.policies = !rule.policy_header.empty() || !rule.status_header.empty() ||
                  std::ranges::any_of(rule.Sources(SignalField::kLimit), params);
  CheckStars(value, rule);
  CheckKind(&map, rule);
  map.Finish();
  CheckSaysSomething(value, rule);
  return rule;
}

}  // namespace apiquota::provider
