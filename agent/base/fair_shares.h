// A total divided among named holders, so that one of them can't take what another needs: half of it is
// divided evenly into shares that are kept for their holders, the other half goes to whoever comes first. A
// holder with a name has a share from the start, one without takes one of `shares_for_others` when it first
// takes anything; who comes when those are gone lives on the common half. Without any holder or share
// everything is common.
//
// Thread-safe: a small lock. Amounts have the unit of the total.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota {

class FairShares {
 public:
  explicit FairShares(size_t total) : total_(total) {}

  // Replaces the holders; what they hold stays taken. `set_aside` of the total is for nobody.
  void SetHolders(const std::vector<std::string>& names, size_t shares_for_others = 0, size_t set_aside = 0);

  // Whether `holder` may have so much more; then it has it.
  bool Take(std::string_view holder, size_t amount);
  // Takes it even if nothing is left.
  void TakeAnyway(std::string_view holder, size_t amount);
  // REQUIRES: it was taken.
  void Return(std::string_view holder, size_t amount);

  size_t taken() const;

 private:
  struct Holder {
    size_t taken = 0;
    bool has_share = false;
  };
  size_t Share() const;
  size_t Kept() const;
  Holder& Find(std::string_view name);

  const size_t total_;
  mutable std::mutex mutex_;
  std::map<std::string, Holder, std::less<>> holders_;  // guarded by mutex_, like the rest
  size_t shares_ = 0;                                   // of named holders and of others
  size_t unclaimed_ = 0;                                // of those for others
  size_t set_aside_ = 0;
  size_t taken_ = 0;
};

}  // namespace apiquota
