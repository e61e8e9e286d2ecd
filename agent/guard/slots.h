// How many requests may be under way at a time, and which are (docs/guard.md, "Calls at once"). What frees a
// slot is the end of a request, not time: when that is can only be estimated. `adaptive` ones shrink when the
// API says that there are too many and grow back with what it serves (additive increase, multiplicative
// decrease: Chiu and Jain, 1989), never by how long answers take. Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/token_model.h"
#include "guard/values.h"

namespace apiquota::guard {

class Slots {
 public:
  // `max` 0: as many as come. What has been learned stays, as far as it fits.
  void Configure(size_t max, bool adaptive);

  // Taken whether one is free or not: polls are counted and never held up. One that is taken already, or not
  // known at its end, changes nothing.
  void Take(Id ticket, SystemTime now);
  void End(Id ticket, SystemTime now);

  // A request was served; or one that was let through then was refused because too much was under way.
  void Served();
  void Refused(SystemTime admitted_at, SystemTime now);
  // Others hold so many of them, as was just said: not ours until something else is said, or for as long as
  // calls take.
  void Others(size_t held, SystemTime now);
  std::optional<SystemTime> OthersUntil(SystemTime now) const;  // nothing: none is theirs

  bool limited() const { return max_ != 0; }
  bool adaptive() const { return adaptive_ && limited(); }
  bool free(SystemTime now) const { return !limited() || open_.size() < Allowed(now); }
  // When one is, after `ahead` others have had theirs, by how long calls hold them; nothing: too few have
  // ended yet. Later than now in any case.
  std::optional<SystemTime> FreeAt(size_t ahead, SystemTime now) const;

  size_t in_use() const { return open_.size(); }
  size_t limit(SystemTime now) const { return limited() ? Allowed(now) : 0; }  // now; 0: no limit
  size_t max() const { return max_; }
  // The most that were taken at once since then.
  size_t MostSince(SystemTime at) const;

 private:
  size_t Allowed(SystemTime now) const;

  size_t max_ = 0;
  bool adaptive_ = false;
  double limit_ = 0;                     // now; its fraction is kept, so that small ones shrink as fast
  size_t served_ = 0;                    // since it changed last
  std::optional<SystemTime> shrunk_at_;  // last
  size_t others_ = 0;
  SystemTime others_until_;
  std::unordered_map<Id, SystemTime> open_;  // since when
  RecentQuantile<Micros, 31> held_;          // how long
  size_t ended_ = 0;                         // so many at least
  // How many were taken at once, falling: (when, how many), each the most from then on.
  std::vector<std::pair<SystemTime, size_t>> peaks_;
};

}  // namespace apiquota::guard
