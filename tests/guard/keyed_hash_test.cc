#include "guard/keyed_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace apiquota::guard {
namespace {

// As CPython 3.11 hashes bytes(range(n)) where PYTHONHASHSEED=0, which is the key 0.
TEST(KeyedHashTest, IsSipHash13) {
  const auto hash = [](size_t n) {
    std::string bytes;
    while (bytes.size() < n) bytes.push_back(static_cast<char>(bytes.size()));
    return KeyedHash(HashKey{}, bytes);
  };
  EXPECT_EQ(hash(3), 0x4d4c9a4a8ef6e0adU);
  EXPECT_EQ(hash(8), 0xead411e67ebe2eeaU);
  EXPECT_EQ(hash(15), 0xf30eb725bb91c9eaU);
  EXPECT_EQ(hash(31), 0x169739443111d49bU);
}

TEST(KeyedHashTest, NobodyKnowsTheNextKey) {
  std::set<uint64_t> hashes;
  for (int i = 0; i < 8; ++i) hashes.insert(KeyedHash(HashKey::Drawn(), "203.0.113.7"));
  EXPECT_EQ(hashes.size(), 8U);
}

}  // namespace
}  // namespace apiquota::guard
