#include "cache/hash.h"

#include <bit>
#include <cstring>
#include <random>

namespace apiquota::cache {
namespace {

struct Key {
  uint64_t low, high;
};

const Key& ProcessKey() {
  static const Key key = [] {
    std::random_device random;
    const auto word = [&random] { return (static_cast<uint64_t>(random()) << 32) | random(); };
    return Key{word(), word()};
  }();
  return key;
}

inline void Round(uint64_t& v0, uint64_t& v1, uint64_t& v2, uint64_t& v3) {
  v0 += v1;
  v1 = std::rotl(v1, 13) ^ v0;
  v0 = std::rotl(v0, 32);
  v2 += v3;
  v3 = std::rotl(v3, 16) ^ v2;
  v0 += v3;
  v3 = std::rotl(v3, 21) ^ v0;
  v2 += v1;
  v1 = std::rotl(v1, 17) ^ v2;
  v2 = std::rotl(v2, 32);
}

}  // namespace

Hasher::Hasher()
    : v0_(ProcessKey().low ^ 0x736f6d6570736575U),
      v1_(ProcessKey().high ^ 0x646f72616e646f6dU ^ 0xee),
      v2_(ProcessKey().low ^ 0x6c7967656e657261U),
      v3_(ProcessKey().high ^ 0x7465646279746573U) {}

Hasher& Hasher::AddNumber(uint64_t number) {
  v3_ ^= number;
  Round(v0_, v1_, v2_, v3_);
  Round(v0_, v1_, v2_, v3_);
  v0_ ^= number;
  ++words_;
  return *this;
}

Hasher& Hasher::Add(std::string_view text) {
  AddNumber(text.size());
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= sizeof(uint64_t); at += sizeof(uint64_t), left -= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    AddNumber(word);
  }
  if (left > 0) {
    uint64_t word = 0;
    std::memcpy(&word, at, left);
    AddNumber(word);
  }
  return *this;
}

Digest Hasher::Finish() const {
  Hasher last = *this;
  last.AddNumber(words_ << 56);
  const auto settle = [&last] {
    for (int i = 0; i < 4; ++i) Round(last.v0_, last.v1_, last.v2_, last.v3_);
    return last.v0_ ^ last.v1_ ^ last.v2_ ^ last.v3_;
  };
  last.v2_ ^= 0xee;
  const uint64_t low = settle();
  last.v1_ ^= 0xdd;
  return {low, settle()};
}

}  // namespace apiquota::cache
