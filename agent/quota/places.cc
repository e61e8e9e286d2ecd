#include "quota/places.h"

#include <algorithm>

namespace apiquota::quota {
namespace {

size_t QuotaCount(const Shard& shard, std::string_view resource) {
  return static_cast<size_t>(
      std::ranges::count_if(shard.slots, [&](const auto& entry) { return entry.first.first == resource; }));
}

size_t ResourceCount(const Shard& shard, std::string_view other_than) {
  size_t count = 0;
  const std::string* previous = nullptr;
  for (const auto& [names, slot] : shard.slots) {
    if (names.first == other_than) continue;
    if (previous == nullptr || *previous != names.first) ++count;
    previous = &names.first;
  }
  return count;
}

}  // namespace

void Places::SetHolders(const KnownNames& names) {
  slots_.SetHolders(names.ConfiguredApis(), names.shares_for_implied());
}

bool Places::Take(std::string_view api, const Shard& shard, std::string_view resource) {
  if (ResourceCount(shard, resource) >= options_.resources_per_key_max) return false;
  if (QuotaCount(shard, resource) >= options_.quotas_per_resource_max) return false;
  if (!slots_.Take(api, 1)) return false;
  if (series_ == nullptr || series_->Take(api, kSeriesPerQuota)) return true;
  slots_.Return(api, 1);
  return false;
}

bool Places::TakePeaks(std::string_view api, Slot* slot) {
  if (slot->peaks != Slot::Peaks::kNone || !HasPeaks(slot->state)) return true;
  const bool room = series_ == nullptr || series_->Take(api, kSeriesPerPeaks);
  slot->peaks = room ? Slot::Peaks::kShown : Slot::Peaks::kNoRoom;
  return room;
}

void Places::GiveBack(std::string_view api, const Slot& slot) {
  slots_.Return(api, 1);
  if (series_ != nullptr) series_->Return(api, slot.series());
}

}  // namespace apiquota::quota
