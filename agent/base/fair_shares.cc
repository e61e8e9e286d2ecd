#include "base/fair_shares.h"

#include <algorithm>

namespace apiquota {

void FairShares::SetHolders(const std::vector<std::string>& names, size_t shares_for_others,
                            size_t set_aside) {
  const std::lock_guard lock(mutex_);
  std::erase_if(holders_, [](const auto& entry) { return entry.second.taken == 0; });
  for (auto& [name, holder] : holders_) holder.has_share = false;
  for (const std::string& name : names) holders_[name].has_share = true;
  unclaimed_ = shares_for_others;
  for (auto& [name, holder] : holders_) {
    if (holder.has_share || unclaimed_ == 0) continue;
    holder.has_share = true;
    --unclaimed_;
  }
  shares_ = names.size() + shares_for_others;
  set_aside_ = std::min(set_aside, total_);
}

size_t FairShares::Share() const { return shares_ == 0 ? 0 : (total_ - set_aside_) / 2 / shares_; }

// What nobody has taken and somebody still may.
size_t FairShares::Kept() const {
  const size_t share = Share();
  size_t kept = unclaimed_ * share;
  for (const auto& [name, holder] : holders_) {
    if (holder.has_share && holder.taken < share) kept += share - holder.taken;
  }
  return kept;
}

FairShares::Holder& FairShares::Find(std::string_view name) {
  const auto found = holders_.find(name);
  if (found != holders_.end()) return found->second;
  Holder& made = holders_[std::string(name)];
  if (unclaimed_ == 0) return made;
  --unclaimed_;
  made.has_share = true;
  return made;
}

bool FairShares::Take(std::string_view name, size_t amount) {
  const std::lock_guard lock(mutex_);
  Holder& holder = Find(name);
  const size_t share = holder.has_share ? Share() : 0;
  if (holder.taken + amount > share) {
    const size_t own = share > holder.taken ? share - holder.taken : 0;
    const size_t spoken_for = taken_ + set_aside_ + Kept() - own;
    if (spoken_for + amount > total_) return false;
  }
  holder.taken += amount;
  taken_ += amount;
  return true;
}

void FairShares::TakeAnyway(std::string_view name, size_t amount) {
  const std::lock_guard lock(mutex_);
  Find(name).taken += amount;
  taken_ += amount;
}

void FairShares::Return(std::string_view name, size_t amount) {
  const std::lock_guard lock(mutex_);
  const auto found = holders_.find(name);
  if (found == holders_.end()) return;
  found->second.taken -= std::min(amount, found->second.taken);
  taken_ -= std::min(amount, taken_);
}

size_t FairShares::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

}  // namespace apiquota
