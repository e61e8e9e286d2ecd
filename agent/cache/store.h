// Answers by key and Vary, in bounded memory: least recently used goes first. What a path's answers are worth
// ends for all of them at once when something there was changed, and no answer that was asked for before then
// is taken. Not thread-safe (ApiCache holds the lock); what goes is handed out, so that it is freed without
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "cache/answer.h"
#include "cache/hash.h"
#include "cache/question.h"

namespace apiquota::cache {

// Of one key; the least recently kept goes first.
inline constexpr size_t kVariantsMax = 16;
// Changes that are remembered, so that answers on their way are not kept. When there are more, whatever was
// asked for before the oldest of them is not.
inline constexpr size_t kChangesMax = 4096;

class Store {
 public:
  explicit Store(size_t bytes_max) : bytes_max_(bytes_max) {}

  using Freed = std::vector<AnswerPtr>;

  void SetBytesMax(size_t bytes_max, Freed* freed);

  // The newest variant that answers the request, now the most recently used; null: none.
  AnswerPtr Find(const Digest& key, const http::Fields& request);

  // In place of every variant that answers the same request. `path`: what PathOf said of the question. Not
  // kept: what is too large, what was asked for before its path was changed, what is older than what is
  // there.
  void Keep(const Digest& key, const Digest& path, const http::Fields& request, AnswerPtr answer,
            Freed* freed);

  void Change(const Digest& path, SystemTime now);
  void Clear(SystemTime now, Freed* freed);  // as if everything had been changed

  size_t bytes() const { return bytes_; }
  size_t bytes_max() const { return bytes_max_; }
  size_t answer_bytes_max() const { return bytes_max_ / 8; }
  size_t answers() const { return entries_.size(); }
  uint64_t evicted() const { return evicted_; }

 private:
  struct Entry {
    AnswerPtr answer;
    Digest key;
    uint64_t epoch;  // of its path when it was kept
    size_t bytes;
  };
  using Entries = std::list<Entry>;
  struct Path {
    uint64_t epoch = 0;
    size_t slots = 0;
  };
  using Paths = std::unordered_map<Digest, Path, DigestHash>;
  struct Slot {
    Paths::value_type* path;
    std::vector<Entries::iterator> variants;  // newest first
  };
  using Slots = std::unordered_map<Digest, Slot, DigestHash>;

  Slots::iterator SlotOf(const Digest& key, const Digest& path);
  void Drop(Slots::iterator slot, size_t variant, Freed* freed);
  void Evict(Freed* freed);
  bool ChangedSince(const Digest& path, SystemTime asked_at) const;

  size_t bytes_max_;
  size_t bytes_ = 0;
  uint64_t evicted_ = 0;
  Entries entries_;  // most recently used first
  Slots slots_;
  Paths paths_;

  // When paths were last changed. In the queue a change that was followed by another is stale.
  std::unordered_map<Digest, SystemTime, DigestHash> changed_;
  std::deque<std::pair<Digest, SystemTime>> changes_;
  SystemTime all_changed_at_ = SystemTime::min();
};

}  // namespace apiquota::cache
