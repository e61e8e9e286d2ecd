// Seeded draws of a world: the same on every machine, so that a seed tells everything. One per source of
// chance, so that more draws of one leave the others as they were. Not thread-safe.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "base/clock.h"

namespace apiquota::world {

// SplitMix64 (Steele, Lea and Flood, 2014).
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0)
      : state_(seed * 0x9e3779b97f4a7c15U + stream * 0xd1b54a32d192ed03U + 1) {
    Next();
  }

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double share) { return share > 0 && Unit() < share; }
  double Between(double least, double most) { return least + (most - least) * Unit(); }
  int64_t Whole(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Next() % static_cast<uint64_t>(most - least + 1));
  }
  Micros Between(Micros least, Micros most) { return Micros(Whole(least.count(), most.count())); }
  // Exponential; 0 stays 0.
  Micros Around(Micros mean) {
    return Micros(static_cast<int64_t>(-std::log(1 - Unit()) * static_cast<double>(mean.count())));
  }
  template <class T>
  const T& OneOf(std::span<const T> choices) {
    return choices[Next() % choices.size()];
  }

 private:
  uint64_t state_;
};

}  // namespace apiquota::world
