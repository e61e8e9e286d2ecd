// Names of long texts in little memory: 128 bits of SipHash-2-4 (Aumasson and Bernstein, 2012) under a key
// that each process draws for itself, so that nobody who chooses the texts can choose two of one name. Pure
// but for that key; thread-safe.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace apiquota::cache {

struct Digest {
  uint64_t low = 0, high = 0;

  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// For containers: the digest is as good as random already.
struct DigestHash {
  size_t operator()(const Digest& digest) const { return static_cast<size_t>(digest.low); }
};

// Texts one after another. Each goes in with its size, so that ("ab", "c") is not ("a", "bc").
class Hasher {
 public:
  Hasher();

  Hasher& Add(std::string_view text);
  Hasher& AddNumber(uint64_t number);
  Digest Finish() const;

 private:
  uint64_t v0_, v1_, v2_, v3_;
  uint64_t words_ = 0;
};

}  // namespace apiquota::cache
