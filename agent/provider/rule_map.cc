#include <algorithm>
#include <vector>

#include "provider/rule_loader.h"

namespace apiquota::provider {

YamlValue RuleMap::Get(std::string_view key) {
  const auto found = std::ranges::find(place_.keys, key, &GrammarKey::name);
  if (found == place_.keys.end()) map_.value().Fail("the table of keys lacks one that the loader knows");
  const bool required = found != place_.keys.end() && found->required;
  return required ? map_.Require(key) : map_.Get(key);
}

YamlValue RuleMap::Require(std::string_view key) {
  map_.Require(key);
  return Get(key);
}

void RuleMap::Finish() const {
  std::vector<std::string_view> known;
  for (const GrammarKey& key : place_.keys) known.push_back(key.name);
  map_.Finish(known);
}

}  // namespace apiquota::provider
