#include "base/log_fold.h"

#include <gtest/gtest.h>

namespace apiquota {
namespace {

using Verdict = LogFolder::Verdict;

class LogFolderTest : public testing::Test {
 protected:
  Verdict Admit(std::string_view event, std::string_view key, std::string value = "") {
    const LogField fields[] = {{"detail", std::move(value)}};
    return folder_.Admit(LogLevel::kWarn, event, key, fields, now_);
  }

  std::string Due() { return Shown(folder_.TakeDue(now_)); }
  static std::string Shown(const std::vector<LogFolder::Held>& lines) {
    std::string text;
    for (const LogFolder::Held& line : lines) {
      text += std::string(line.event) + " " + line.fields.at(0).value + " x" + std::to_string(line.repeated);
      text += "; ";
    }
    return text;
  }

  SteadyTime now_{std::chrono::hours(1)};
  LogFolder folder_;
};

TEST_F(LogFolderTest, TheFirstIsWrittenAtOnceAndTheRestIsCounted) {
  EXPECT_EQ(Admit("error", "openai/dns"), Verdict::kWrite);
  EXPECT_EQ(Admit("error", "openai/dns", "second"), Verdict::kHoldFirst);
  EXPECT_EQ(Admit("error", "openai/dns", "third"), Verdict::kHoldMore);
  EXPECT_EQ(Admit("error", "github/dns"), Verdict::kWrite) << "another key";
  EXPECT_EQ(Admit("refused", "openai/dns"), Verdict::kWrite) << "another event";
  EXPECT_EQ(Due(), "") << "not before the interval ends";
  now_ += kFoldInterval;
  EXPECT_EQ(Due(), "error second x2; ");
  EXPECT_EQ(Due(), "");
}

TEST_F(LogFolderTest, AfterAWrittenRepetitionAnotherIntervalPasses) {
  Admit("error", "k");
  Admit("error", "k");
  EXPECT_EQ(folder_.NextDue(), now_ + kFoldInterval);
  now_ += kFoldInterval;
  EXPECT_EQ(Due(), "error  x1; ");
  EXPECT_EQ(Admit("error", "k"), Verdict::kHoldFirst);
  now_ += kFoldInterval - std::chrono::nanoseconds(1);
  EXPECT_EQ(Due(), "");
  now_ += std::chrono::nanoseconds(1);
  EXPECT_EQ(Due(), "error  x1; ");
}

TEST_F(LogFolderTest, WhatHasBeenSilentForAnIntervalIsNewAgain) {
  EXPECT_EQ(Admit("error", "k"), Verdict::kWrite);
  EXPECT_EQ(folder_.NextDue(), std::nullopt) << "nobody has to wake up for it";
  now_ += kFoldInterval;
  EXPECT_EQ(Admit("error", "k"), Verdict::kWrite) << "also where nobody asked what is due";
  now_ += kFoldInterval;
  EXPECT_EQ(Due(), "");
  EXPECT_EQ(Admit("error", "k"), Verdict::kWrite);
}

TEST_F(LogFolderTest, KeysWithoutEndShareOneAndNothingIsLost) {
  constexpr size_t kKeys = 10'000;
  uint64_t told = 0;
  for (size_t i = 0; i < kKeys; ++i) told += Admit("error", std::to_string(i)) == Verdict::kWrite ? 1 : 0;
  EXPECT_EQ(told, LogFolder::kKeysMax + 1);
  for (const LogFolder::Held& line : folder_.TakeAll()) told += line.repeated;
  EXPECT_EQ(told, kKeys);
  EXPECT_EQ(Admit("error", "new"), Verdict::kWrite) << "TakeAll begins anew";
}

}  // namespace
}  // namespace apiquota
