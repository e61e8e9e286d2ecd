// `guard:` at the top level and of an api. Each block refines, key by key, what holds outside it; a shadow
// refines what is in force where it stands.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/guard_mode.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

using guard::Mode;

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;

constexpr Micros kMaxWaitMax = std::chrono::hours(1);  // no client waits longer for an answer
constexpr int64_t kQueueSizeMax = 100'000;
constexpr int64_t kAttemptsMax = 10;
constexpr int64_t kReplayBytesMax = 16 * kMiB;
constexpr int64_t kReplayMemoryMax = 4 * kGiB;
constexpr int64_t kColdConcurrencyMax = 10'000;
constexpr int64_t kHeadroomMax = 1'000'000'000'000;
constexpr int kHeadroomShareMax = 90;  // of all, nothing would be left
constexpr size_t kHeaderBytesMax = 64;

void LoadPartMode(YamlMap& map, guard::Part* part) {
  if (const YamlValue mode = map.Get("mode"); mode.Present()) part->mode = mode.AsEnum<Mode>(kGuardModes);
}

void LoadHeadroom(const YamlValue& value, guard::PaceOptions* pace) {
  if (!value.Present()) return;
  const std::string text = value.AsString();
  pace->headroom_is_share = text.ends_with('%');
  if (pace->headroom_is_share) {
    pace->headroom = LoadShare(value, 0, kHeadroomShareMax);
  } else if (const auto amount = ParseDigits(text); amount && *amount <= kHeadroomMax) {
    pace->headroom = static_cast<double>(*amount);
  } else if (value.IsScalar()) {
    value.Fail(fmt::format("expected an amount such as 5, or a share from 0% to {}%", kHeadroomShareMax));
  }
}

void LoadPace(YamlMap map, guard::PaceOptions* pace) {
  LoadPartMode(map, pace);
  LoadHeadroom(map.Get("headroom"), pace);
  if (const YamlValue spread = map.Get("spread"); spread.Present()) pace->spread = LoadShare(spread, 0, 100);
  map.Finish();
}

// One that a client would send; empty: none.
bool IsHeaderName(std::string_view name) {
  return name.size() <= kHeaderBytesMax && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

void LoadQueue(YamlMap map, guard::QueueOptions* queue) {
  using By = guard::QueueOptions::By;
  LoadPartMode(map, queue);
  LoadCount(map, "size", 0, kQueueSizeMax, &queue->size);
  LoadTime(map, "max_wait", std::chrono::milliseconds(1), kMaxWaitMax, &queue->max_wait);
  if (const YamlValue header = map.Get("deadline_header"); header.Present()) {
    queue->deadline_header = ToLower(header.AsString());
    if (!IsHeaderName(queue->deadline_header))
      header.Fail("expected the name of a header, such as X-Request-Timeout");
  }
  if (const YamlValue trust = map.Get("trust_priority"); trust.Present())
    queue->trust_priority = trust.AsBool();
  if (const YamlValue by = map.Get("by"); by.Present()) {
    constexpr std::pair<std::string_view, By> kWays[] = {{"caller", By::kCaller}, {"key", By::kKey}};
    queue->by = by.AsEnum<By>(kWays);
  }
  map.Finish();
}

void LoadRetry(YamlMap map, guard::RetryOptions* retry) {
  LoadPartMode(map, retry);
  auto attempts = static_cast<size_t>(retry->attempts);
  LoadCount(map, "attempts", 1, kAttemptsMax, &attempts);
  retry->attempts = static_cast<int>(attempts);
  if (const YamlValue budget = map.Get("budget"); budget.Present()) retry->budget = LoadShare(budget, 0, 100);
  LoadSize(map, "replay_bytes_max", 0, kReplayBytesMax, &retry->replay_bytes_max);
  LoadSize(map, "replay_memory_max", 0, kReplayMemoryMax, &retry->replay_memory_max);
  if (retry->replay_bytes_max > retry->replay_memory_max) {
    map.value().Fail(
        fmt::format("replay_bytes_max is {} and replay_memory_max {}; expected one body to fit all memory",
                    FormatSize(retry->replay_bytes_max), FormatSize(retry->replay_memory_max)));
  }
  map.Finish();
}

void LoadCooldown(YamlMap map, guard::CooldownOptions* cooldown) {
  LoadPartMode(map, cooldown);
  LoadTime(map, "probe_every", std::chrono::seconds(1), std::chrono::days(1), &cooldown->probe_every);
  map.Finish();
}

// All keys but `mode` and `shadow`.
void LoadParts(YamlMap& map, guard::Options* options) {
  LoadPace(map.Get("pace").AsSection(), &options->pace);
  LoadQueue(map.Get("queue").AsSection(), &options->queue);
  LoadRetry(map.Get("retry").AsSection(), &options->retry);
  LoadCooldown(map.Get("cooldown").AsSection(), &options->cooldown);
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
