#include "cache/store.h"

#include <algorithm>
#include <utility>

namespace apiquota::cache {
namespace {

// What nodes of the containers take beside what they hold: links, the allocator's header, a bucket.
constexpr size_t kNodeBytes = 48;
// A slot is counted with the longest list of variants it may have: what it has is not followed.
constexpr size_t kSlotBytes = 2 * kNodeBytes + kVariantsMax * sizeof(void*);

}  // namespace

void Store::SetBytesMax(size_t bytes_max, Freed* freed) {
  bytes_max_ = bytes_max;
  Evict(freed);
}

AnswerPtr Store::Find(const Digest& key, const http::Fields& request) {
  const auto slot = slots_.find(key);
  if (slot == slots_.end()) return nullptr;
  Selection selection(request);
  for (const Entries::iterator entry : slot->second.variants) {
    if (entry->epoch != slot->second.path->second.epoch) continue;  // its path was changed
    if (!selection.Matches(entry->answer->varies)) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->answer;
  }
  return nullptr;
}

void Store::Keep(const Digest& key, const Digest& path, const http::Fields& request, AnswerPtr answer,
                 Freed* freed) {
  const size_t bytes = answer->bytes() + sizeof(Entry) + kNodeBytes;
  if (ChangedSince(path, answer->asked_at)) return;
  const auto slot = SlotOf(key, path);
  std::vector<Entries::iterator>& variants = slot->second.variants;
  Selection selection(request);
  bool newest = true;
  for (size_t i = variants.size(); i-- > 0;) {
    const Entry& other = *variants[i];
    const bool outdated = other.epoch != slot->second.path->second.epoch;
    if (!outdated && !selection.Matches(other.answer->varies)) continue;
    newest = newest && (outdated || other.answer->asked_at <= answer->asked_at);
    if (newest) Drop(slot, i, freed);
  }
  if (newest && bytes <= answer_bytes_max()) {
    if (variants.size() >= kVariantsMax) Drop(slot, variants.size() - 1, freed);
    entries_.push_front({std::move(answer), key, slot->second.path->second.epoch, bytes});
    variants.insert(variants.begin(), entries_.begin());
    bytes_ += bytes;
  }
  if (variants.empty()) Drop(slot, 0, freed);
  Evict(freed);
}

Store::Slots::iterator Store::SlotOf(const Digest& key, const Digest& path) {
  const auto [slot, made] = slots_.try_emplace(key);
  if (made) {
    slot->second.path = &*paths_.try_emplace(path).first;
    ++slot->second.path->second.slots;
    bytes_ += kSlotBytes + sizeof(Slots::value_type) + sizeof(Paths::value_type);
  }
  return slot;
}

// Of a slot without variants: the slot.
void Store::Drop(Slots::iterator slot, size_t variant, Freed* freed) {
  std::vector<Entries::iterator>& variants = slot->second.variants;
  if (!variants.empty()) {
    const Entries::iterator entry = variants[variant];
    bytes_ -= entry->bytes;
    freed->push_back(std::move(entry->answer));
    entries_.erase(entry);
    variants.erase(variants.begin() + static_cast<std::ptrdiff_t>(variant));
    return;
  }
  if (--slot->second.path->second.slots == 0) paths_.erase(slot->second.path->first);
  slots_.erase(slot);
  bytes_ -= kSlotBytes + sizeof(Slots::value_type) + sizeof(Paths::value_type);
}

void Store::Evict(Freed* freed) {
  while (bytes_ > bytes_max_ && !entries_.empty()) {
    const auto slot = slots_.find(entries_.back().key);
    std::vector<Entries::iterator>& variants = slot->second.variants;
    const auto last = std::ranges::find(variants, std::prev(entries_.end()));
    Drop(slot, static_cast<size_t>(last - variants.begin()), freed);
    if (variants.empty()) Drop(slot, 0, freed);
    ++evicted_;
  }
}

void Store::Change(const Digest& path, SystemTime now) {
  if (const auto known = paths_.find(path); known != paths_.end()) ++known->second.epoch;
  changed_[path] = now;
  changes_.emplace_back(path, now);
  while (changes_.size() > kChangesMax) {
    const auto [oldest, at] = changes_.front();
    changes_.pop_front();
    const auto last = changed_.find(oldest);
    if (last == changed_.end() || last->second != at) continue;  // changed again since
    changed_.erase(last);
    all_changed_at_ = std::max(all_changed_at_, at);
  }
}

void Store::Clear(SystemTime now, Freed* freed) {
  for (Entry& entry : entries_) freed->push_back(std::move(entry.answer));
  entries_.clear();
  slots_.clear();
  paths_.clear();
  changed_.clear();
  changes_.clear();
  bytes_ = 0;
  all_changed_at_ = now;
}

bool Store::ChangedSince(const Digest& path, SystemTime asked_at) const {
  if (asked_at <= all_changed_at_) return true;
  const auto changed = changed_.find(path);
  return changed != changed_.end() && asked_at <= changed->second;
}

}  // namespace apiquota::cache
