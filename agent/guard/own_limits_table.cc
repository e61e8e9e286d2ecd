#include "guard/own_limits_table.h"

#include <algorithm>

#include "base/ip_address.h"

namespace apiquota::guard {
namespace {

constexpr size_t kSlotsFirst = 4;
constexpr int kSweptForEach = 2;
constexpr int kRemovedAtOnce = 64;  // for a log that grew, by at most 2 KiB
constexpr size_t kV6NetworkBytes = 8;
constexpr std::string_view kV6Network = "/64";

}  // namespace

LimitTable::Address LimitTable::Address::Of(std::string_view text) {
  if (text.ends_with(kV6Network)) text.remove_suffix(kV6Network.size());
  const auto ip = IpAddress::Parse(text);
  if (!ip) return {};
  Address address{.bits = 0, .kind = ip->v6 ? Kind::kV6 : Kind::kV4};
  for (size_t i = 0; i < (ip->v6 ? kV6NetworkBytes : 4); ++i) address.bits = address.bits << 8 | ip->bytes[i];
  return address;
}

std::string LimitTable::Address::ToText() const {
  if (kind == Kind::kNone) return {};
  IpAddress ip{.v6 = kind == Kind::kV6, .bytes = {}};
  uint64_t rest = bits;
  for (size_t i = ip.v6 ? kV6NetworkBytes : 4; i-- > 0; rest >>= 8) ip.bytes[i] = static_cast<uint8_t>(rest);
  return ip.ToText().append(ip.v6 ? kV6Network : "");
}

LimitTable::LimitTable(size_t bytes_max) : bytes_max_(bytes_max) {}

const LimitTable::Entry* LimitTable::At(size_t place) const {
  const Entry& entry = Place(static_cast<uint32_t>(place));
  return entry.place != 0 ? &entry : nullptr;
}

uint32_t LimitTable::Locate(uint64_t subject) const {
  const std::vector<uint32_t>& slots = shards_[ShardOf(subject)].slots;
  if (slots.empty()) return 0;
  for (size_t at = subject & (slots.size() - 1); slots[at] != 0; at = (at + 1) & (slots.size() - 1)) {
    if (Place(slots[at]).subject == subject) return slots[at];
  }
  return 0;
}

const LimitTable::Entry* LimitTable::Find(uint64_t subject) const {
  const uint32_t place = Locate(subject);
  return place == 0 ? nullptr : &Place(place);
}

void LimitTable::Index(uint64_t subject, uint32_t place) {
  Shard& shard = shards_[ShardOf(subject)];
  const auto put = [](std::vector<uint32_t>* slots, uint64_t hash, uint32_t what) {
    size_t at = hash & (slots->size() - 1);
    while ((*slots)[at] != 0) at = (at + 1) & (slots->size() - 1);
    (*slots)[at] = what;
  };
  if (shard.slots.empty() || 4 * (shard.used + 1) > 3 * shard.slots.size()) {
    std::vector<uint32_t> grown(std::max(2 * shard.slots.size(), kSlotsFirst));
    for (const uint32_t each : shard.slots) {
      if (each != 0) put(&grown, Place(each).subject, each);
    }
    index_bytes_ += (grown.size() - shard.slots.size()) * sizeof(uint32_t);
    shard.slots = std::move(grown);
  }
  put(&shard.slots, subject, place);
  ++shard.used;
}

// What stands behind it in its run moves up, if it may: no slot is ever only marked as deleted.
void LimitTable::Unindex(uint64_t subject) {
  Shard& shard = shards_[ShardOf(subject)];
  std::vector<uint32_t>& slots = shard.slots;
  const size_t mask = slots.size() - 1;
  size_t hole = subject & mask;
  while (Place(slots[hole]).subject != subject) hole = (hole + 1) & mask;
  for (size_t at = (hole + 1) & mask; slots[at] != 0; at = (at + 1) & mask) {
    const size_t home = Place(slots[at]).subject & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots[hole] = slots[at];
    hole = at;
  }
  slots[hole] = 0;
  --shard.used;
}

void LimitTable::Unlink(const Entry& entry) {
  (entry.older != 0 ? Place(entry.older).newer : oldest_) = entry.newer;
  (entry.newer != 0 ? Place(entry.newer).older : newest_) = entry.older;
}

void LimitTable::LinkNewest(uint32_t place) {
  Entry& entry = Place(place);
  entry.older = newest_;
  entry.newer = 0;
  (newest_ != 0 ? Place(newest_).newer : oldest_) = place;
  newest_ = place;
}

void LimitTable::Remove(uint32_t place) {
  Entry& entry = Place(place);
  Unindex(entry.subject);
  Unlink(entry);
  if (entry.named) names_.erase(entry.subject);
  log_bytes_ -= entry.used.bytes();
  entry = Entry{};
  entry.newer = free_;
  free_ = place;
  --size_;
}

// False: there is nobody to go but `but`.
bool LimitTable::RemoveOldest(const LimitMeter& meter, SystemTime now, uint32_t but) {
  if (oldest_ == 0 || oldest_ == but) return false;
  if (!meter.Over(Place(oldest_).used, now)) ++evicted_;
  Remove(oldest_);
  return true;
}

void LimitTable::Sweep(const LimitMeter& meter, SystemTime now) {
  for (int i = 0; i < kSweptForEach && fresh_ > 0; ++i) {
    hand_ = hand_ % fresh_ + 1;
    const Entry& entry = Place(hand_);
    if (entry.place != 0 && meter.Over(entry.used, now)) Remove(hand_);
  }
}

uint32_t LimitTable::Allocate(const LimitMeter& meter, SystemTime now) {
  Sweep(meter, now);
  const bool full = fresh_ == chunks_.size() * kChunk;
  if (free_ == 0 && full && !chunks_.empty() && bytes() + kChunkBytes > bytes_max_)
    RemoveOldest(meter, now, 0);
  if (const uint32_t place = free_; place != 0) {
    free_ = Place(place).newer;
    return place;
  }
  if (full) chunks_.push_back(std::make_unique<Entry[]>(kChunk));
  return ++fresh_;
}

LimitTable::Entry& LimitTable::Renew(Entry* entry) {
  if (entry->place == newest_) return *entry;
  Unlink(*entry);
  LinkNewest(entry->place);
  return *entry;
}

LimitTable::Entry& LimitTable::Touch(uint64_t subject, const LimitMeter& meter, SystemTime now) {
  if (Entry* entry = Find(subject); entry != nullptr) return Renew(entry);
  const uint32_t place = Allocate(meter, now);
  Entry& entry = Place(place);
  entry.subject = subject;
  entry.place = place;
  ++size_;
  LinkNewest(place);
  Index(subject, place);
  return entry;
}

void LimitTable::Grew(const Entry& entry, size_t bytes_before, const LimitMeter& meter, SystemTime now) {
  const size_t bytes_now = entry.used.bytes();
  if (bytes_now == bytes_before) return;
  log_bytes_ += bytes_now;
  log_bytes_ -= bytes_before;
  for (int i = 0; i < kRemovedAtOnce && bytes() > bytes_max_; ++i) {
    if (!RemoveOldest(meter, now, entry.place)) return;
  }
}

void LimitTable::Name(Entry* entry, std::string_view caller, std::string_view key) {
  if (entry->named || names_.size() >= kNamesMax) return;
  names_.try_emplace(entry->subject, Named{std::string(caller), std::string(key)});
  entry->named = true;
}

const LimitTable::Named* LimitTable::NameOf(const Entry& entry) const {
  const auto found = names_.find(entry.subject);
  return entry.named && found != names_.end() ? &found->second : nullptr;
}

}  // namespace apiquota::guard
