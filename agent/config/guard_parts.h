// The parts of LoadGuard, one per part of the guard. Internal to this room.
// Each refines its options by what stands in `map`, but for the key `mode`; who calls finishes the map.
#pragma once

#include "base/yaml.h"
#include "guard/options.h"

namespace apiquota::config {

void LoadPace(YamlMap& map, guard::PaceOptions* pace);
void LoadQueue(YamlMap& map, guard::QueueOptions* queue);
void LoadRetry(YamlMap& map, guard::RetryOptions* retry);
void LoadCooldown(YamlMap& map, guard::CooldownOptions* cooldown);

}  // namespace apiquota::config
