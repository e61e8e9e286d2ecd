// The parts of LoadGuard, one per part of the guard. Internal to this room.
// Each refines its options by what stands in `map`, but for the key `mode`; who calls finishes the map.
#pragma once

#include <string>
#include <vector>

#include "base/yaml.h"
#include "guard/options.h"

namespace apiquota::config {

void LoadPace(YamlMap& map, guard::PaceOptions* pace);
void LoadQueue(YamlMap& map, guard::QueueOptions* queue);
void LoadRetry(YamlMap& map, guard::RetryOptions* retry);
void LoadCooldown(YamlMap& map, guard::CooldownOptions* cooldown);

void LoadConcurrency(YamlMap& map, guard::ConcurrencyOptions* concurrency);
void LoadBreaker(YamlMap& map, guard::BreakerOptions* breaker);
void LoadCache(YamlMap& map, guard::CacheOptions* cache);

// The operator's own limits. Of a caller that is not among `callers` it complains.
std::vector<guard::LimitRule> LoadLimitRules(const YamlValue& list, const std::vector<std::string>& callers);

// Paths as sent upstream, without a query; "*" at the end of one: all that begin so.
std::string LoadPathPattern(const YamlValue& value);
std::vector<std::string> LoadPathPatterns(const YamlValue& list);

// In lower case.
std::string LoadHeaderName(const YamlValue& value);

}  // namespace apiquota::config
