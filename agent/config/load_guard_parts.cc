// The parts of the guard that run wherever it does: pace, queue, retry, cooldown.
#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "config/guard_parts.h"
#include "config/loader.h"
#include "config/names.h"

namespace apiquota::config {
namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;

constexpr Micros kMaxWaitMax = std::chrono::hours(1);  // no client waits longer for an answer
constexpr int64_t kQueueSizeMax = 100'000;
constexpr int64_t kAttemptsMax = 10;
constexpr int64_t kReplayBytesMax = 16 * kMiB;
constexpr int64_t kReplayMemoryMax = 4 * kGiB;
constexpr int64_t kHeadroomMax = 1'000'000'000'000;
constexpr int kHeadroomShareMax = 90;  // of all, nothing would be left

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

}  // namespace

void LoadPace(YamlMap& map, guard::PaceOptions* pace) {
  LoadHeadroom(map.Get("headroom"), pace);
  if (const YamlValue spread = map.Get("spread"); spread.Present()) pace->spread = LoadShare(spread, 0, 100);
}

void LoadQueue(YamlMap& map, guard::QueueOptions* queue) {
  using By = guard::QueueOptions::By;
  LoadCount(map, "size", 0, kQueueSizeMax, &queue->size);
  LoadTime(map, "max_wait", std::chrono::milliseconds(1), kMaxWaitMax, &queue->max_wait);
  if (const YamlValue header = map.Get("deadline_header"); header.Present()) {
    queue->deadline_header = ToLower(header.AsString());
    if (!queue->deadline_header.empty() && !IsHeaderName(queue->deadline_header))
      header.Fail("expected the name of a header, such as X-Request-Timeout");
  }
  if (const YamlValue trust = map.Get("trust_priority"); trust.Present())
    queue->trust_priority = trust.AsBool();
  if (const YamlValue by = map.Get("by"); by.Present()) {
    constexpr std::pair<std::string_view, By> kWays[] = {{"caller", By::kCaller}, {"key", By::kKey}};
    queue->by = by.AsEnum<By>(kWays);
  }
}

void LoadRetry(YamlMap& map, guard::RetryOptions* retry) {
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
  if (const YamlValue paths = map.Get("add_idempotency_key"); paths.Present())
    retry->add_idempotency_key = LoadPathPatterns(paths);
}

void LoadCooldown(YamlMap& map, guard::CooldownOptions* cooldown) {
  LoadTime(map, "probe_every", std::chrono::seconds(1), std::chrono::days(1), &cooldown->probe_every);
}

}  // namespace apiquota::config
