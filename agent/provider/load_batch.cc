// What calls an API takes in batches.
#include <algorithm>
#include <utility>

#include "provider/rule_loader.h"

namespace apiquota::provider {

std::optional<BatchRule> LoadBatch(const YamlValue& value) {
  constexpr size_t kPathsMax = 32;
  if (!value.Present()) return std::nullopt;
  BatchRule rule;
  RuleMap map(value, "batch");
  rule.endpoint = LoadPathPrefix(map.Get("endpoint"));
  const YamlValue paths = map.Get("paths");
  for (const YamlValue& item : paths.AsListOrSingle()) {
    rule.paths.push_back(LoadPathPrefix(item));
    if (std::ranges::count(rule.paths.back(), '*') > 1) item.Fail("expected a path with at most one *");
  }
  if (paths.IsList() && rule.paths.empty()) paths.Fail("expected at least one path");
  if (rule.paths.size() > kPathsMax) paths.Fail("more paths than any API has");
  map.Finish();
  return rule;
}

}  // namespace apiquota::provider
