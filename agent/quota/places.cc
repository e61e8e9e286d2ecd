#include "quota/places.h"

#include <algorithm>
#include <string>

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

// "requests-2" → "requests"
std::string_view BaseOf(const provider::Reading& reading) {
  const std::string_view quota = reading.quota;
  return reading.source.renamed ? quota.substr(0, quota.rfind('-')) : quota;
}

// The name, with a number or without, of the quota that the reading's rule has spoken of before.
std::optional<std::string_view> NameByRule(const Shard& shard, const provider::Reading& reading) {
  const std::string base(BaseOf(reading));
  std::string name = base;
  for (int n = 2;; name = base + "-" + std::to_string(n++)) {
    const auto found = shard.slots.find(NamePairView{reading.resource, name});
    if (found == shard.slots.end()) return std::nullopt;
    if (found->second.family == reading.source.family) return found->first.second;
  }
}

}  // namespace

std::string_view NameFor(const Shard& shard, const provider::Reading& reading,
                         std::span<const provider::Reading> response) {
  const auto found = shard.slots.find(NamePairView{reading.resource, reading.quota});
  const bool known = found != shard.slots.end() && found->second.family;
  const bool own = known && found->second.family == reading.source.family;
  if (!reading.source.renamed && (own || !known)) return reading.quota;
  if (const auto name = NameByRule(shard, reading)) return *name;
  // The name's owner speaks in this response, too, and was given another name in it: that one is free.
  for (const provider::Reading& other : response) {
    const bool owner = known && other.source.renamed && other.source.family == found->second.family;
    if (owner && other.resource == reading.resource && BaseOf(other) == reading.quota) return other.quota;
  }
  return reading.quota;
}

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
