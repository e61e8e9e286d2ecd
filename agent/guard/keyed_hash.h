// A 64-bit hash under a key that nobody outside knows (SipHash by Aumasson and Bernstein, 2012, in its
// variant 1-3, that of Python's and Rust's tables), so that who chooses the names that are hashed can't
// choose which of them fall together. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace apiquota::guard {

struct HashKey {
  uint64_t first = 0, second = 0;

  static HashKey Drawn();  // from the system's randomness
  friend bool operator==(const HashKey&, const HashKey&) = default;
};

uint64_t KeyedHash(const HashKey& key, std::string_view bytes);

}  // namespace apiquota::guard
