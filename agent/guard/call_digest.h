// What two calls have in common if they are the same: a 64-bit hash of what was asked and of the body, taken
// as it passes. Seeded, so that nobody outside can make two calls look alike; not a cryptographic hash. Pure;
// not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace apiquota::guard {

class CallDigest {
 public:
  // Calls of different `seed`s have nothing in common.
  void Begin(uint64_t seed, std::string_view method, std::string_view target);
  // More of the body; however it is cut, the digest is the same.
  void Add(std::string_view piece);
  uint64_t Value() const;

 private:
  static constexpr size_t kBlock = 16;

  uint64_t state_ = 0;
  uint64_t length_ = 0;
  std::array<char, kBlock> rest_{};  // of which length_ % kBlock bytes wait for the rest of their block
};

}  // namespace apiquota::guard
