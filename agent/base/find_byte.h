// Finds the first byte of a kind, sixteen at a step by the compiler's own vectors, on whatever machine it
// builds for. Pure.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace apiquota {
namespace find_byte {

// The index of the first byte, in memory's order, that is not 0. REQUIRES: there is one.
inline size_t FirstByte(uint64_t word) {
  const int zeros =
      std::endian::native == std::endian::little ? std::countr_zero(word) : std::countl_zero(word);
  return static_cast<size_t>(zeros) / 8;
}

using Block = uint8_t __attribute__((vector_size(16)));
using HalfBlock = uint8_t __attribute__((vector_size(8)));

// The index of the first byte of a comparison's result that is not 0; 16 if there is none.
template <class Result>
size_t FirstFound(Result result) {
#ifdef __SSE2__
  // One instruction gathers the bytes' highest bits; by way of two words they would pass through memory.
  const auto bits = static_cast<unsigned>(_mm_movemask_epi8(std::bit_cast<__m128i>(result)));
  return static_cast<size_t>(std::countr_zero(bits | 1U << sizeof(Block)));
#else
  const auto words = std::bit_cast<std::array<uint64_t, 2> >(result);
  if (words[0] != 0) return FirstByte(words[0]);
  return words[1] != 0 ? 8 + FirstByte(words[1]) : sizeof(Block);
#endif
}

}  // namespace find_byte

// The first byte at or after `from` that is one of `kind`; the size if there is none. `kind` must be an
// expression of comparisons that means the same for one uint8_t and for vectors of them, such as
//   [](auto b) { return (b < 0x20) | (b == 0x7f); }
template <class Kind>
size_t FindByte(std::string_view text, size_t from, Kind kind) {
  using find_byte::Block;
  using find_byte::HalfBlock;
  const size_t end = text.size();
  size_t i = from;
  for (; i + sizeof(Block) <= end; i += sizeof(Block)) {
    Block block;
    std::memcpy(&block, text.data() + i, sizeof block);
    const size_t found = find_byte::FirstFound(kind(block));
    if (found < sizeof block) return i + found;
  }
  for (; i + sizeof(HalfBlock) <= end; i += sizeof(HalfBlock)) {
    HalfBlock block;
    std::memcpy(&block, text.data() + i, sizeof block);
    const auto found = std::bit_cast<uint64_t>(kind(block));
    if (found != 0) return i + find_byte::FirstByte(found);
  }
  while (i < end && !kind(static_cast<uint8_t>(text[i]))) ++i;
  return i < end ? i : end;
}

}  // namespace apiquota
