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

// One part on top of what `options` say; its mode alone is short for {mode: …}.
template <class Options>
void LoadPart(const YamlValue& value, void (*load)(YamlMap&, Options*), Options* options) {
  if (value.IsScalar()) {
    options->mode = value.AsEnum<Mode>(kGuardModes);
    return;
  }
  YamlMap map = value.AsSection();
  if (const YamlValue mode = map.Get("mode"); mode.Present()) options->mode = mode.AsEnum<Mode>(kGuardModes);
  load(map, options);
  map.Finish();
}

// One that is there once it has been written; its name alone does not write it.
template <class Options>
void LoadPart(const YamlValue& value, void (*load)(YamlMap&, Options*), std::optional<Options>* options) {
  if (!value.Present() || value.IsNull()) return;
  if (!*options) options->emplace();
  LoadPart(value, load, &**options);
}

void LoadSlots(const YamlValue& value, guard::Options* options) {
  LoadPart(value, LoadConcurrency, &options->concurrency);
  const auto& slots = options->concurrency;
  if (slots && slots->mode != Mode::kOff && slots->max == 0)
    value.Fail("expected max: how many requests of a key may be under way at a time");
}

// All keys but `mode` and `shadow`. Lists replace those outside as a whole.
void LoadParts(YamlMap& map, const Loader& loader, guard::Options* options) {
  LoadPart(map.Get("pace"), LoadPace, &options->pace);
  LoadPart(map.Get("queue"), LoadQueue, &options->queue);
  LoadPart(map.Get("retry"), LoadRetry, &options->retry);
  LoadPart(map.Get("cooldown"), LoadCooldown, &options->cooldown);
  LoadCount(map, "cold_concurrency", 1, kColdConcurrencyMax, &options->cold_concurrency);
  LoadSlots(map.Get("concurrency"), options);
  LoadPart(map.Get("breaker"), LoadBreaker, &options->breaker);
  LoadPart(map.Get("cache"), LoadCache, &options->cache);
  if (const YamlValue limits = map.Get("limits"); limits.Present())
    options->limits = LoadLimitRules(limits, loader.callers);
  if (const YamlValue exempt = map.Get("exempt"); exempt.Present())
    options->exempt = LoadPathPatterns(exempt);
}

// One block on top of what `options` say, without its shadow; the mode that it names, if it does. `on` alone
// is short for {mode: on}.
std::optional<Mode> Refine(const YamlValue& block, const Loader& loader, guard::Options* options) {
  const auto named = [](const YamlValue& mode) {
    return mode.Present() ? std::optional(mode.AsEnum<Mode>(kGuardModes)) : std::nullopt;
  };
  std::optional<Mode> mode;
  if (block.IsScalar()) {
    mode = named(block);
  } else {
    YamlMap map = block.AsSection();
    mode = named(map.Get("mode"));
    LoadParts(map, loader, options);
    map.Get("shadow");
    map.Finish();
  }
  options->mode = mode.value_or(options->mode);
  return mode;
}

bool HasShadow(const YamlValue& block) { return !block.IsScalar() && block.AsSection().Has("shadow"); }

void RefineShadow(const YamlValue& block, const Loader& loader, guard::Options* shadow) {
  YamlMap map = block.AsSection();
  constexpr std::pair<std::string_view, Mode> kShadowModes[] = {{"off", Mode::kOff},
                                                                {"shadow", Mode::kShadow}};
  if (const YamlValue mode = map.Get("mode"); mode.Present()) shadow->mode = mode.AsEnum<Mode>(kShadowModes);
  LoadParts(map, loader, shadow);
  map.Finish();
}

}  // namespace

guard::Options LoadGuard(std::span<const YamlValue> blocks, const Loader& loader) {
  guard::Options options;
  options.mode = loader.context.guard_mode;
  std::vector<YamlValue> shadows;
  for (const YamlValue& block : blocks) {
    const std::optional<Mode> named = Refine(block, loader, &options);
    if (HasShadow(block)) {
      shadows.push_back(block.AsSection().Get("shadow"));
    } else if (named == Mode::kOff) {
      shadows.clear();  // off is off
    }
  }
  if (shadows.empty()) return options;
  guard::Options shadow = options;
  shadow.mode = Mode::kShadow;
  for (const YamlValue& block : shadows) RefineShadow(block, loader, &shadow);
  if (shadow.mode == Mode::kOff) return options;
  options.shadow = std::make_shared<const guard::Options>(std::move(shadow));
  return options;
}

}  // namespace apiquota::config
