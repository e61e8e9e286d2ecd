// `guard:` at the top level and of an api. Each block refines, key by key, what holds outside it; a shadow
// refines what is in force where it stands.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "config/guard_mode.h"
#include "config/guard_parts.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

using guard::Mode;

constexpr int64_t kColdConcurrencyMax = 10'000;

// One part on top of what `options` say.
template <class Options>
void LoadPart(const YamlValue& value, void (*load)(YamlMap&, Options*), Options* options) {
  YamlMap map = value.AsSection();
  if (const YamlValue mode = map.Get("mode"); mode.Present()) options->mode = mode.AsEnum<Mode>(kGuardModes);
  load(map, options);
  map.Finish();
}

// All keys but `mode` and `shadow`.
void LoadParts(YamlMap& map, guard::Options* options) {
  LoadPart(map.Get("pace"), LoadPace, &options->pace);
  LoadPart(map.Get("queue"), LoadQueue, &options->queue);
  LoadPart(map.Get("retry"), LoadRetry, &options->retry);
  LoadPart(map.Get("cooldown"), LoadCooldown, &options->cooldown);
  LoadCount(map, "cold_concurrency", 1, kColdConcurrencyMax, &options->cold_concurrency);
}

// One block on top of what `options` say, without its shadow; the mode that it names, if it does. `on` alone
// is short for {mode: on}.
std::optional<Mode> Refine(const YamlValue& block, guard::Options* options) {
  const auto named = [](const YamlValue& mode) {
    return mode.Present() ? std::optional(mode.AsEnum<Mode>(kGuardModes)) : std::nullopt;
  };
  std::optional<Mode> mode;
  if (block.IsScalar()) {
    mode = named(block);
  } else {
    YamlMap map = block.AsSection();
    mode = named(map.Get("mode"));
    LoadParts(map, options);
    map.Get("shadow");
    map.Finish();
  }
  options->mode = mode.value_or(options->mode);
  return mode;
}

bool HasShadow(const YamlValue& block) { return !block.IsScalar() && block.AsSection().Has("shadow"); }

void RefineShadow(const YamlValue& block, guard::Options* shadow) {
  YamlMap map = block.AsSection();
  constexpr std::pair<std::string_view, Mode> kShadowModes[] = {{"off", Mode::kOff},
                                                                {"shadow", Mode::kShadow}};
  if (const YamlValue mode = map.Get("mode"); mode.Present()) shadow->mode = mode.AsEnum<Mode>(kShadowModes);
  LoadParts(map, shadow);
  map.Finish();
}

}  // namespace

guard::Options LoadGuard(std::span<const YamlValue> blocks, Mode mode) {
  guard::Options options;
  options.mode = mode;
  std::vector<YamlValue> shadows;
  for (const YamlValue& block : blocks) {
    const std::optional<Mode> named = Refine(block, &options);
    if (HasShadow(block)) {
      shadows.push_back(block.AsSection().Get("shadow"));
    } else if (named == Mode::kOff) {
      shadows.clear();  // off is off
    }
  }
  if (shadows.empty()) return options;
  guard::Options shadow = options;
  shadow.mode = Mode::kShadow;
  for (const YamlValue& block : shadows) RefineShadow(block, &shadow);
  if (shadow.mode == Mode::kOff) return options;
  options.shadow = std::make_shared<const guard::Options>(std::move(shadow));
  return options;
}

}  // namespace apiquota::config
