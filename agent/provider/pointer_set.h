// JSON pointers (RFC 6901), taken apart once so that scanning a body costs nothing for it. Here one segment
// of a pointer may be "*": any key, any index. A set holds at most 64, one bit each. Immutable once the
// exporter is loaded; thread-safe to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace apiquota::provider {

class PointerSet {
 public:
  static constexpr size_t kPointersMax = 64;

  struct Pointer {
    std::string text;
    std::vector<std::string> tokens;
    std::optional<size_t> star;  // the place of "*" among the tokens
  };

  PointerSet() = default;
  explicit PointerSet(const std::vector<std::string>& pointers);

  // The pointer's bit, whether it was there or is added; 0 if the set is full or the pointer too long.
  uint64_t Add(const std::string& pointer);

  size_t size() const { return pointers_.size(); }
  const Pointer& operator[](size_t i) const { return pointers_[i]; }
  uint64_t stars() const { return stars_; }  // the bits of the pointers that hold a "*"
  uint64_t all() const { return size() == kPointersMax ? ~uint64_t{0} : (uint64_t{1} << size()) - 1; }

 private:
  std::vector<Pointer> pointers_;
  uint64_t stars_ = 0;
};

}  // namespace apiquota::provider
