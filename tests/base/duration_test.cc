#include "base/duration.h"

#include <gtest/gtest.h>

namespace apiquota {
namespace {

using std::chrono::microseconds;

TEST(DurationTest, ReadsEveryUnitAndSums) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},
      {"0s", 0},
      {"500ns", 1},  // rounded to the microsecond
      {"7us", 7},
      {"7µs", 7},
      {"7μs", 7},
      {"20ms", 20'000},
      {"1s", 1'000'000},
      {"1.5s", 1'500'000},
      {"6m0s", 360'000'000},
      {"1h30m", 5'400'000'000},
      {"2d", 172'800'000'000},
      {"1w", 604'800'000'000},
      {"1m2s3ms4us", 62'003'004},
      {"36500d", 3'153'600'000'000'000},
  };
  for (const auto& [text, micros] : cases) {
    EXPECT_EQ(ParseDuration(text), std::optional(microseconds(micros))) << text;
  }
}

TEST(DurationTest, RefusesEverythingElse) {
  for (const char* text :
       {"",      "5",    "-1s", "+1s",  "1 s", " 1s",          "1s ",
        "1S",    "1x",   "s",   "1.s",  ".5s", "1..5s",        "1.5.2s",
        "1e3s",  "0x1s", "inf", "nans", "1s1", "101w1000000w", "99999999999999999999999999w",
        "1month"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(DurationTest, WritesTheShortestForm) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "0s"},
      {1, "1us"},
      {250'000, "250ms"},
      {90'000'000, "1m30s"},
      {360'000'000, "6m"},
      {86'400'000'000, "1d"},
      {90'061'000'000, "1d1h1m1s"},
      {1'001'001, "1s1ms1us"},
      {-90'000'000, "-1m30s"},
      {INT64_MIN, "-106751991d4h54s775ms807us"},
  };
  for (const auto& [micros, text] : cases) EXPECT_EQ(FormatDuration(microseconds(micros)), text);
}

TEST(DurationTest, WhatIsWrittenReadsBackTheSame) {
  for (int64_t micros = 1; micros < 3'000'000'000'000'000; micros = micros * 7 + 3) {
    EXPECT_EQ(ParseDuration(FormatDuration(microseconds(micros))), std::optional(microseconds(micros)));
  }
}

}  // namespace
}  // namespace apiquota
