// Finds what an exporter file says about a header, in one look: most names are ruled out by their first
// letter and length, the others looked up in a hash table over lower-case names, then among the few with a
// '*'. Immutable once built; thread-safe to read; allocates nothing on lookup.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota::provider {

struct Exporter;

// What a header is to the exporter. `rule` and `source` index into the Exporter's vectors.
struct HeaderTarget {
  enum class Kind : uint8_t { kQuotaField, kPolicy, kStatus, kResource, kRetryAfter, kKnown };
  Kind kind = Kind::kKnown;
  uint8_t field = 0;  // index into kQuotaFields
  uint16_t rule = 0;
  uint16_t source = 0;
};

class HeaderIndex {
 public:
  explicit HeaderIndex(const Exporter& exporter);

  struct Match {
    std::span<const HeaderTarget> targets;  // empty: the file does not know this header
    std::string_view star;                  // what the '*' stood for, a part of the name asked for
  };
  // `name` in any case. Inline: most headers are nobody's, and their first letter and length tell.
  Match Find(std::string_view name) const {
    return (lengths_[FirstLetter(name)] & LengthBit(name)) == 0 ? Match() : LookUp(name);
  }

 private:
  static size_t FirstLetter(std::string_view name) {
    return name.empty() ? 0 : static_cast<uint8_t>(name.front()) & 0x1f;
  }
  static uint64_t LengthBit(std::string_view name) {
    return uint64_t{1} << (name.size() < kLongest ? name.size() : kLongest);
  }
  static constexpr size_t kLongest = 63;  // … and longer

  struct Entry {
    std::string name;    // the part before the '*', or all of it
    std::string suffix;  // the part behind it
    bool star = false;
    std::vector<HeaderTarget> targets;
  };
  void Add(const std::string& name, HeaderTarget target);
  void BuildTable();
  void BuildPatternStarts();
  Match LookUp(std::string_view name) const;

  // The first bytes of a pattern: rules most headers out in one comparison.
  struct PatternStart {
    uint64_t bytes = 0;
    uint64_t mask = 0;
  };

  std::vector<Entry> exact_;
  std::vector<Entry> patterns_;  // in file order: the first match wins
  std::vector<uint16_t> table_;  // open addressing over exact_; a power of two; kEmpty if free
  static constexpr uint16_t kEmpty = 0xffff;
  std::vector<PatternStart> pattern_starts_;
  std::array<uint64_t, 32> lengths_{};  // of the names that begin with this letter, one bit each
};

// Does `name`, in any case, match `pattern`, lower case with at most one '*' (which stands for at least one
// character)?
bool MatchesHeaderPattern(std::string_view name, std::string_view pattern);

}  // namespace apiquota::provider
