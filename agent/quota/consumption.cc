#include "quota/consumption.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

// Two readings rounded to whole units are off by less than one each.
constexpr double kRoundingMax = 2;

// Folds one level in and says how much more the window is now known to have consumed.
double Fold(double level, WindowUse* use) {
  const double before = use->Consumed();
  if (use->from_limit) level = std::min(level, *use->highest);
  use->lowest = std::min(use->lowest.value_or(level), level);
  use->highest = std::max(use->highest.value_or(level), level);
  return use->Consumed() - before;
}

}  // namespace

std::optional<Level> LevelOf(std::optional<double> remaining, std::optional<double> used) {
  if (remaining) return Level{*remaining, false};
  if (used) return Level{-*used, true};
  return std::nullopt;
}

void StartOver(Level level, Consumption* consumption) {
  consumption->of_used = level.of_used;
  consumption->current = {level.value, level.value, false};
  consumption->previous = {};
  consumption->previous_end.reset();
  consumption->last.reset();
  consumption->rounding = 0;
}

void FoldSameWindow(Level level, bool overtaken, Consumption* consumption) {
  if (level.of_used != consumption->of_used) return StartOver(level, consumption);
  const auto& highest = consumption->current.highest;
  if (!overtaken && highest) level.value = std::min(level.value, *highest);
  consumption->total += Fold(level.value, &consumption->current);
}

void FoldNextWindow(Level level, std::optional<double> limit, std::optional<WindowEnd> ended,
                    Consumption* consumption) {
  if (level.of_used != consumption->of_used) return StartOver(level, consumption);
  consumption->previous = consumption->current;
  consumption->previous_end = ended;
  consumption->current = {};
  // What was used since the window began is consumption as well, ours or not: it began full.
  if (level.of_used || limit) {
    consumption->current.highest = level.of_used ? 0 : *limit;
    consumption->current.from_limit = true;
  }
  consumption->total += Fold(level.value, &consumption->current);
}

void FoldPreviousWindow(Level level, Consumption* consumption) {
  if (level.of_used != consumption->of_used || !consumption->previous.lowest) return;
  consumption->total += Fold(level.value, &consumption->previous);
}

void FoldNext(Level level, SystemTime at, std::optional<double> limit, double refill_per_second,
              Consumption* consumption) {
  if (level.of_used != consumption->of_used) consumption->last.reset();
  if (consumption->last) {
    const double seconds = std::max(0.0, ToSeconds(at - consumption->last_at));
    double came_back = consumption->last_refill * seconds;
    if (limit) came_back = std::min(came_back, std::max(0.0, *limit - *consumption->last));
    const double consumed = *consumption->last - level.value + came_back + consumption->rounding;
    consumption->total += std::max(0.0, consumed);
    // Whole units hide up to one that is coming back; without the memory an idle bucket would seem
    // to be used.
    consumption->rounding = consumption->last_refill > 0 ? std::clamp(consumed, -kRoundingMax, 0.0) : 0;
  }
  consumption->of_used = level.of_used;
  consumption->last_at = consumption->last ? std::max(consumption->last_at, at) : at;
  consumption->last = level.value;
  consumption->last_refill = refill_per_second;
}

}  // namespace apiquota::quota
