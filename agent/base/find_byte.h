// Finds the first byte of a kind, sixteen at a step by the compiler's own vectors, on whatever machine it
// builds for. Pure.
#pragma once

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

}  // namespace find_byte

// The first byte at or after `from` that is one of `kind`; the size if there is none. `kind` must be an
// expression of comparisons that means the same for one uint8_t and for vectors of them, such as
//   [](auto b) { return (b < 0x20) | (b == 0x7f); }
template <class Kind>
size_t FindByte(std::string_view text, size_t from, Kind kind) {
  using Block = uint8_t __attribute__((vector_size(16)));
  using HalfBlock = uint8_t __attribute__((vector_size(8)));
  const size_t end = text.size();
  size_t i = from;
  for (; i + sizeof(Block) <= end; i += sizeof(Block)) {
    Block block;
    std::memcpy(&block, text.data() + i, sizeof block);
    const auto found = std::bit_cast<std::array<uint64_t, 2>>(kind(block));
    if ((found[0] | found[1]) == 0) continue;
    return found[0] != 0 ? i + find_byte::FirstByte(found[0]) : i + 8 + find_byte::FirstByte(found[1]);
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
