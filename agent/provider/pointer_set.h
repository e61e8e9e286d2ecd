// JSON pointers (RFC 6901), taken apart once so that scanning a body costs nothing for it. Here up to four
// segments of a pointer may be "*": any key, any index. A set holds at most 64, one bit each. Immutable once
// the exporter is loaded; thread-safe to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota::provider {

// One segment of a pointer without its escapes: "a~1b" is "a/b" (RFC 6901 4).
std::string UnescapedSegment(std::string_view segment);

class PointerSet {
 public:
  static constexpr size_t kPointersMax = 64;
  static constexpr size_t kStarsMax = 4;

  struct Pointer {
    std::string text;
    std::vector<std::string> tokens;
    std::vector<size_t> stars;  // the places of "*" among the tokens
  };

  PointerSet() = default;
  explicit PointerSet(const std::vector<std::string>& pointers);

  // The pointer's bit, whether it was there or is added; 0 if the set is full, or the pointer has more than
  // 16 segments or more stars than kStarsMax.
  uint64_t Add(const std::string& pointer);

  // What the pointers have at one depth, so that a key is compared with each token once, not once a pointer.
  struct Level {
    struct Token {
      std::string text;
      uint64_t pointers = 0;
    };
    std::vector<Token> tokens;
    uint64_t stars = 0;   // the pointers with a "*" here
    uint64_t ending = 0;  // … and those that end before it: their values stand at this depth
  };
  // Depth 0: the whole document. Beyond the longest pointer there is nothing.
  const Level& At(size_t depth) const { return depth < levels_.size() ? levels_[depth] : kNothing; }

  size_t size() const { return pointers_.size(); }
  const Pointer& operator[](size_t i) const { return pointers_[i]; }
  uint64_t stars() const { return stars_; }  // the bits of the pointers that hold a "*"
  uint64_t all() const { return size() == kPointersMax ? ~uint64_t{0} : (uint64_t{1} << size()) - 1; }

 private:
  void AddToLevels(const Pointer& pointer, uint64_t bit);

  static const Level kNothing;
  std::vector<Pointer> pointers_;
  std::vector<Level> levels_;
  uint64_t stars_ = 0;
};

}  // namespace apiquota::provider
