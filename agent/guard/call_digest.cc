#include "guard/call_digest.h"

#include <algorithm>
#include <cstring>

namespace apiquota::guard {
namespace {

// The first bits of the fractions of the golden ratio and of pi.
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

// A state and a block that cancel to 0 would absorb what they are mixed with: the seed keeps others from
// finding one.
[[gnu::always_inline]] inline uint64_t Mix(uint64_t state, const char* block) {
  return Fold(state ^ Word(block), kGolden ^ Word(block + sizeof(uint64_t)));
}

}  // namespace

void CallDigest::Begin(uint64_t seed, std::string_view method, std::string_view target) {
  state_ = Fold(seed ^ kPi, kGolden ^ (method.size() << 32 ^ target.size()));
  length_ = 0;
  Add(method);
  Add(target);
}

void CallDigest::Add(std::string_view piece) {
  const size_t held = length_ % kBlock;
  length_ += piece.size();
  uint64_t state = state_;
  if (held > 0) {
    const size_t more = std::min(piece.size(), kBlock - held);
    std::memcpy(rest_.data() + held, piece.data(), more);
    piece.remove_prefix(more);
    if (held + more < kBlock) return;
    state = Mix(state, rest_.data());
  }
  const char* at = piece.data();
  const char* const end = at + piece.size() / kBlock * kBlock;
  const char* const pairs_end = end - (end - at) % (2 * kBlock);
  for (; at != pairs_end; at += 2 * kBlock) state = Mix(Mix(state, at), at + kBlock);
  if (at != end) state = Mix(state, at), at += kBlock;
  state_ = state;
  const size_t left = piece.size() % kBlock;
  if (left > 0) std::memcpy(rest_.data(), at, left);
}

uint64_t CallDigest::Value() const {
  std::array<char, kBlock> last = rest_;
  std::fill(last.begin() + static_cast<std::ptrdiff_t>(length_ % kBlock), last.end(), '\0');
  return Fold(Mix(state_, last.data()) ^ length_, kGolden);
}

}  // namespace apiquota::guard
