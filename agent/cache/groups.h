// Who asks for the same at this moment. A group has one leader and followers; it ends when its leader has
// told all of them, or when a leader fails whom nobody follows. Not thread-safe (ApiCache holds the lock),
// and tells nobody anything itself: it says who is to be told.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cache/hash.h"

namespace apiquota::cache {

// Who waits for a leader's answer. No two that wait at once are the same.
struct Follower {
  uint32_t home = 0;  // its event loop
  uint64_t id = 0;

  friend bool operator==(const Follower&, const Follower&) = default;
};

// What a leader is known by. Each leader of a group has a turn of its own: one that has failed can say
// nothing more about it.
struct Turn {
  uint64_t group = 0, turn = 0;
};

// An identity whose answer could not be shared is asked for by each alone for this long.
inline constexpr Micros kAloneFor = std::chrono::seconds(30);
inline constexpr size_t kAloneMax = 10'000;  // identities; the one that came first goes first

class Groups {
 public:
  // What one that joins is: the leader of a group, a follower, or neither.
  struct Place {
    enum class Kind : uint8_t { kLeads, kFollows, kAlone };
    Kind kind = Kind::kAlone;
    Turn turn;  // kLeads
  };
  Place Join(const Digest& identity, const Digest& path, Follower follower, SystemTime now);
  void Leave(Follower follower);

  bool Followed(Turn turn) const;
  // The group has ended: these waited for it.
  std::vector<Follower> End(Turn turn);
  // … and who asks for the same is alone for a while.
  std::vector<Follower> Scatter(Turn turn, SystemTime now);
  // The leader has failed: who leads now. Nothing: nobody is left, the group has ended.
  std::optional<std::pair<Follower, Turn>> Fail(Turn turn);

  // What is asked for here may be answered by what was before a change: nobody joins these groups any more.
  void Close(const Digest& path);
  void CloseAll() { open_.clear(); }

  size_t groups() const { return groups_.size(); }
  size_t followers() const { return places_.size(); }
  size_t alone() const { return alone_.size(); }

 private:
  struct Group {
    Digest identity, path;
    uint64_t turn = 0;
    std::list<Follower> followers;
  };
  struct Waiting {
    uint64_t group = 0;
    std::list<Follower>::iterator at;
  };
  struct FollowerHash {
    size_t operator()(const Follower& f) const {
      return static_cast<size_t>((f.id + f.home) * 0x9e3779b97f4a7c15U);
    }
  };
  using All = std::unordered_map<uint64_t, Group>;

  All::iterator FindLedBy(Turn turn);
  void SetAlone(const Digest& identity, SystemTime until);
  void DropOldestAlone();
  bool IsAlone(const Digest& identity, SystemTime now);

  uint64_t last_group_ = 0;
  All groups_;
  std::unordered_map<Digest, uint64_t, DigestHash> open_;  // identity → the group that may be joined
  std::unordered_map<Follower, Waiting, FollowerHash> places_;
  std::unordered_map<Digest, SystemTime, DigestHash> alone_;  // identity → until when
  std::deque<std::pair<Digest, SystemTime>> alone_order_;     // one that was set again stands twice
};

}  // namespace apiquota::cache
