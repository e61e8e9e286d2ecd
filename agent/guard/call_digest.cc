#include "guard/call_digest.h"

#include <algorithm>
#include <cstring>

namespace apiquota::guard {
namespace {

// Odd, with as many ones as zeros: the golden ratio's and pi's first bits.
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
constexpr uint64_t kPi = 0x243f6a8885a308d3;

// Both halves of the product depend on all bits of both factors.
uint64_t Fold(uint64_t a, uint64_t b) {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Word(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

}  // namespace

// A state and a block that cancel to 0 would absorb all that follows: the seed keeps others from finding one.
void CallDigest::Mix(const char* block) {
  state_ = Fold(state_ ^ Word(block), kGolden ^ Word(block + sizeof(uint64_t))) + kPi;
}

void CallDigest::Begin(uint64_t seed, std::string_view method, std::string_view target) {
  state_ = Fold(seed ^ kPi, kGolden ^ (method.size() << 32 ^ target.size()));
  length_ = 0;
  Add(method);
  Add(target);
}

void CallDigest::Add(std::string_view piece) {
  const size_t held = length_ % kBlock;
  length_ += piece.size();
  if (held > 0) {
    const size_t more = std::min(piece.size(), kBlock - held);
    std::memcpy(rest_.data() + held, piece.data(), more);
    piece.remove_prefix(more);
    if (held + more < kBlock) return;
    Mix(rest_.data());
  }
  for (; piece.size() >= kBlock; piece.remove_prefix(kBlock)) Mix(piece.data());
  if (!piece.empty()) std::memcpy(rest_.data(), piece.data(), piece.size());
}

uint64_t CallDigest::Value() const {
  CallDigest last = *this;
  std::fill(last.rest_.begin() + static_cast<std::ptrdiff_t>(length_ % kBlock), last.rest_.end(), '\0');
  last.Mix(last.rest_.data());
  return Fold(last.state_ ^ length_, kGolden);
}

}  // namespace apiquota::guard
