#include "guard/keyed_hash.h"

#include <bit>
#include <cstring>
#include <random>

namespace apiquota::guard {
namespace {

constexpr size_t kWord = 8;

struct Mixer {
  uint64_t a, b, c, d;

  void Round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void Take(uint64_t word) {
    d ^= word;
    Round();
    a ^= word;
  }
};

// Little-endian, whatever the machine; of at most eight bytes.
uint64_t Word(const char* bytes, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

HashKey HashKey::Drawn() {
  std::random_device device;
  const auto draw = [&] { return static_cast<uint64_t>(device()) << 32 | device(); };
  const uint64_t first = draw();
  return {first, draw()};
}

uint64_t KeyedHash(const HashKey& key, std::string_view bytes) {
  Mixer mixer{key.first ^ 0x736f6d6570736575, key.second ^ 0x646f72616e646f6d, key.first ^ 0x6c7967656e657261,
              key.second ^ 0x7465646279746573};
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= kWord; left -= kWord, at += kWord) mixer.Take(Word(at, kWord));
  mixer.Take(static_cast<uint64_t>(bytes.size()) << 56 | (left > 0 ? Word(at, left) : 0));
  mixer.c ^= 0xff;
  for (int i = 0; i < 3; ++i) mixer.Round();
  return mixer.a ^ mixer.b ^ mixer.c ^ mixer.d;
}

}  // namespace apiquota::guard
