// Who has used how much of one limit of the operator's: a table by a keyed hash of the subject, bounded in
// bytes whatever clients call themselves. No call looks at more than a thousandth of it. Pure; not
// thread-safe. Entries stay where they are until they are removed.
//
// An entry takes 56 bytes and 8 of the index: 10^6 addresses 62 MiB. A sliding limit takes 80 to 2,100
// bytes more for each, by how many requests are in its window. An empty table takes 32 KiB, names of callers
// and keys up to 2 MiB. Memory once taken is kept for later entries.
//
// Where a new entry does not fit, those go first of which nothing is used any more (two are looked at for
// each new one, so that a table is at most twice as long as needed), then the one that took longest ago: what
// it used is forgotten early, and counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/own_limits_meter.h"

namespace apiquota::guard {

class LimitTable {
 public:
  // What an address is kept as; its text is made when somebody wants to see it.
  struct Address {
    enum class Kind : uint8_t { kNone, kV4, kV6 };
    uint64_t bits = 0;  // of IPv6 the network's 64
    Kind kind = Kind::kNone;

    static Address Of(std::string_view text);  // as ClientAddress writes it; another: kNone
    std::string ToText() const;
  };
  // Whose it is, where names are bounded by the configuration or by this table.
  struct Named {
    std::string caller, key;
  };
  struct Entry {
    uint64_t subject = 0;
    LimitUsed used;
    uint64_t address = 0;
    uint32_t older = 0, newer = 0;  // by when they took; 0: none
    uint32_t place = 0;             // its own; 0: free
    Address::Kind address_kind = Address::Kind::kNone;
    bool named = false;
  };
  static_assert(sizeof(Entry) == 56);
  static constexpr size_t kNamesMax = 10'000;  // beyond, digests are shown

  explicit LimitTable(size_t bytes_max);

  const Entry* Find(uint64_t subject) const;
  Entry* Find(uint64_t subject) { return const_cast<Entry*>(std::as_const(*this).Find(subject)); }
  // The entry of a subject that takes now, a new one if there is none. `meter` says which are over.
  Entry& Touch(uint64_t subject, const LimitMeter& meter, SystemTime now);
  Entry& Renew(Entry* entry);  // the same of one that is there
  // An entry's log may have grown from so many bytes; others may go for it.
  void Grew(const Entry& entry, size_t bytes_before, const LimitMeter& meter, SystemTime now);
  void Name(Entry* entry, std::string_view caller, std::string_view key);
  const Named* NameOf(const Entry& entry) const;

  size_t size() const { return size_; }
  size_t bytes() const { return chunks_.size() * kChunkBytes + index_bytes_ + log_bytes_; }
  uint64_t evicted() const { return evicted_; }
  // For a walk over all: places 1 to places(), some of them free (null).
  size_t places() const { return fresh_; }
  const Entry* At(size_t place) const;

 private:
  static constexpr size_t kChunk = 256;  // entries that are allocated together
  static constexpr size_t kChunkBytes = kChunk * sizeof(Entry);
  static constexpr size_t kShards = 1024;  // of the index: one grows at a time
  struct Shard {
    std::vector<uint32_t> slots;  // places; 0: free. A power of two of them
    uint32_t used = 0;
  };

  Entry& Place(uint32_t place) { return chunks_[(place - 1) / kChunk][(place - 1) % kChunk]; }
  const Entry& Place(uint32_t place) const { return chunks_[(place - 1) / kChunk][(place - 1) % kChunk]; }
  static size_t ShardOf(uint64_t subject) { return subject >> 54; }
  uint32_t Locate(uint64_t subject) const;
  void Index(uint64_t subject, uint32_t place);
  void Unindex(uint64_t subject);
  uint32_t Allocate(const LimitMeter& meter, SystemTime now);
  void Sweep(const LimitMeter& meter, SystemTime now);
  bool RemoveOldest(const LimitMeter& meter, SystemTime now, uint32_t but);
  void Remove(uint32_t place);
  void Unlink(const Entry& entry);
  void LinkNewest(uint32_t place);

  const size_t bytes_max_;
  std::vector<std::unique_ptr<Entry[]>> chunks_;
  std::array<Shard, kShards> shards_;
  std::unordered_map<uint64_t, Named> names_;
  size_t index_bytes_ = 0, log_bytes_ = 0, size_ = 0;
  uint32_t fresh_ = 0;  // places that have ever been used
  uint32_t free_ = 0;   // the first of those that are free, linked by `newer`
  uint32_t oldest_ = 0, newest_ = 0;
  uint32_t hand_ = 0;  // of the sweep
  uint64_t evicted_ = 0;
};

}  // namespace apiquota::guard
