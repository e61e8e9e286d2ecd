#include "quota/persist.h"

#include <gtest/gtest.h>

namespace apiquota::quota {
namespace {

Saved Sample() {
  Saved saved;
  SavedQuota& quota = saved.quotas.emplace_back();
  quota.id = {"demo", "ci", "core", "requests", "requests"};
  quota.exporter = "generic";
  quota.held.said.received_at = quota.held.since = quota.held.level.received_at =
      SystemTime(std::chrono::seconds(1'763'823'600));
  quota.held.limit = 5000;
  quota.held.remaining = 4242;
  SavedCount& count = saved.counts.emplace_back();
  count.api = "demo";
  count.key = "ci";
  count.quota = "requests";
  count.window = std::chrono::seconds(60);
  count.since = SystemTime(std::chrono::seconds(1'763'823'600));
  count.parts = {{1, 2}, {3, 4}};
  return saved;
}

TEST(PersistTest, WhatWasSavedIsReadBack) {
  const Result<Saved> read = ReadSaved(WriteSaved(Sample()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->quotas, Sample().quotas);
  ASSERT_EQ(read->counts.size(), 1U);
  EXPECT_EQ(read->counts[0].parts, Sample().counts[0].parts);
}

TEST(PersistTest, ATextCutAtAnyByteIsNotBelieved) {
  const std::string text = WriteSaved(Sample());
  for (size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(ReadSaved(text.substr(0, size))) << size;
  EXPECT_FALSE(ReadSaved(text + "\n"));
}

TEST(PersistTest, ATextWithAnyBitChangedIsNotBelieved) {
  const std::string text = WriteSaved(Sample());
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ReadSaved(damaged)) << "bit " << bit;
  }
}

TEST(PersistTest, AChangedDigitIsNamedAsSuch) {
  std::string text = WriteSaved(Sample());
  text.replace(text.find("4242"), 4, "5242");
  const Result<Saved> read = ReadSaved(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "the saved readings do not have the checksum they were saved with");
}

TEST(PersistTest, TheFormerVersionWithoutAChecksumIsStillRead) {
  EXPECT_TRUE(ReadSaved(R"({"version": 1, "quotas": []})"));
  for (const std::string_view text : {R"({"quotas": []})", R"({"version": 2, "quotas": []})",
                                      R"({"version": 3, "quotas": []})", R"({"version": 1})", "[]", ""}) {
    EXPECT_FALSE(ReadSaved(text)) << text;
  }
}

}  // namespace
}  // namespace apiquota::quota
