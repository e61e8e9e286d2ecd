#include "guard/keyed_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace apiquota::guard {
namespace {

constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

// The paper's own, and those that its authors publish.
TEST(KeyedHashTest, IsSipHash24) {
  std::string bytes;
  EXPECT_EQ(KeyedHash(kKey, bytes), 0x726fdb47dd0e0e31U);
  for (char c = 0; c < 15; ++c) bytes.push_back(c);
  EXPECT_EQ(KeyedHash(kKey, bytes), 0xa129ca6149be45e5U);
}

TEST(KeyedHashTest, NobodyKnowsTheNextKey) {
  std::set<uint64_t> hashes;
  for (int i = 0; i < 8; ++i) hashes.insert(KeyedHash(HashKey::Drawn(), "203.0.113.7"));
  EXPECT_EQ(hashes.size(), 8U);
}

}  // namespace
}  // namespace apiquota::guard
