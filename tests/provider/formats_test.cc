#include "provider/formats.h"

#include <gtest/gtest.h>

#include "provider/iso_duration.h"
#include "provider/rfc3339.h"

namespace apiquota::provider {
namespace {

const SystemTime kNow{std::chrono::seconds(1'718'236'800)};  // 2024-06-13T00:00:00Z

std::optional<double> Number(Format format, std::string_view text) {
  const auto number = ReadNumber(format, text);
  return number ? std::optional<double>(*number) : std::nullopt;
}

// Seconds from now, if the format reads the text.
std::optional<double> In(Format format, std::string_view text) {
  const auto moment = ReadMoment(format, text, kNow);
  return moment ? std::optional<double>(ToSeconds(moment->at - kNow)) : std::nullopt;
}

TEST(FormatsTest, Numbers) {
  EXPECT_EQ(Number(Format::kInteger, " 5000 "), 5000);
  EXPECT_EQ(Number(Format::kInteger, "988.0"), std::nullopt);
  EXPECT_EQ(Number(Format::kDecimal, "988.5"), 988.5);
  EXPECT_EQ(Number(Format::kDecimal, "0"), 0);
  EXPECT_EQ(Number(Format::kPair, "1/80"), 1);
  EXPECT_EQ(ReadPairLimit("1/80"), 80);
  EXPECT_EQ(Number(Format::kPair, "80"), std::nullopt);
  EXPECT_EQ(Number(Format::kParams, "75, 75;w=1, 750;w=60"), 75);
  EXPECT_EQ(Number(Format::kParams, "0;w=21600"), 0);
  EXPECT_EQ(Number(Format::kParams, "5000, 5000"), 5000) << "a field sent on two lines";
  EXPECT_EQ(Number(Format::kParams, "1,000"), std::nullopt) << "a thousand, or a one";
  EXPECT_EQ(Number(Format::kParams, "200,2000"), std::nullopt) << "two limits of something";
  EXPECT_EQ(Number(Format::kParams, "-1;w=5"), std::nullopt);
}

TEST(FormatsTest, HostileNumbersAreUnread) {
  const std::string huge(1 << 20, '9');
  const std::string zeros(1 << 20, '0');
  const std::string with_nul("5\0", 2);
  for (const std::string& text :
       {std::string(), std::string("NaN"), std::string("inf"), std::string("1e400"),
        "1" + std::string(400, '0'), std::string("0x10"), std::string("+10000000014"),
        std::string("9223372036854775808"), std::string("9223372036854767616"),
        std::string("18446744073709551615"), std::string("1s"), std::string("5 000"), std::string("1,000"),
        huge, zeros, with_nul, std::string("\xff\xfe"), std::string("unlimited")}) {
    for (const Format format : {Format::kInteger, Format::kDecimal, Format::kPair}) {
      EXPECT_EQ(Number(format, text), std::nullopt) << text.substr(0, 40);
    }
    EXPECT_EQ(ReadPairLimit("1/" + text).has_value(), false) << text.substr(0, 40);
  }
}

TEST(FormatsTest, SentinelsSayTheyAre) {
  EXPECT_EQ(ReadPairLimit("1/-0.5").error().message, "negative: a sentinel, not a quantity");
  EXPECT_EQ(ReadNumber(Format::kInteger, "-1"), -1) << "what that means is the reader's to judge";
  EXPECT_EQ(ReadNumber(Format::kDecimal, "9223372036854767616").error().message,
            "too large to be a quantity: a sentinel");
  EXPECT_EQ(ReadNumber(Format::kDecimal, "25.4%"), 25.4);
  EXPECT_EQ(ReadNumber(Format::kDecimal, "%").error().message, "not a number");
  EXPECT_EQ(ReadNumber(Format::kDecimal, "many").error().message, "not a number");
}

TEST(FormatsTest, Moments) {
  EXPECT_EQ(In(Format::kUnixSeconds, "1718236861"), 61);
  EXPECT_EQ(In(Format::kUnixSeconds, "1718236800.480"), 0.48);
  EXPECT_EQ(In(Format::kUnixMillis, "1718236800250"), 0.25);
  EXPECT_EQ(In(Format::kDeltaSeconds, "20.891"), 20.891);
  EXPECT_EQ(In(Format::kDeltaSeconds, "0"), 0);
  EXPECT_EQ(In(Format::kDeltaMillis, "2374"), 2.374);
  EXPECT_EQ(In(Format::kDeltaMinutes, "5"), 300);
  EXPECT_EQ(In(Format::kDeltaMinutes, "0.5"), 30);
  EXPECT_EQ(In(Format::kIsoDuration, "PT1M30S"), 90);
  EXPECT_EQ(In(Format::kDuration, "6m0s"), 360);
  EXPECT_EQ(In(Format::kDuration, "17.399999999s"), 17.4);
  EXPECT_EQ(In(Format::kRfc3339, "2024-06-13T02:00:01.5+02:00"), 1.5);
  EXPECT_EQ(In(Format::kHttpDate, "Thu, 13 Jun 2024 00:00:30 GMT"), 30);
}

TEST(FormatsTest, AUnitBesideTheNumberIsBelieved) {
  EXPECT_EQ(In(Format::kDeltaSeconds, "60s"), 60);
  EXPECT_EQ(In(Format::kDeltaSeconds, "1m30s"), 90);
  EXPECT_EQ(In(Format::kDeltaSeconds, "500ms"), 0.5);
  EXPECT_EQ(In(Format::kDeltaMillis, "2s"), 2);
  EXPECT_EQ(In(Format::kDeltaMinutes, "90s"), 90);
  EXPECT_EQ(In(Format::kDeltaSeconds, "60 s"), 60);
  EXPECT_EQ(In(Format::kDeltaSeconds, "60sec"), 60);
  EXPECT_EQ(In(Format::kDeltaSeconds, "1.5 Minutes"), 90);
  EXPECT_EQ(In(Format::kDeltaMillis, "500 ms"), 0.5);
  for (const auto* text : {"60x", "5 1s", "60 s30", "60 s 30", "60 seconds left", "s", "1.2.3s"}) {
    EXPECT_EQ(In(Format::kDeltaSeconds, text), std::nullopt) << text;
  }
}

TEST(FormatsTest, AnEpochIsNotTakenForTheOtherUnitsOfItsSize) {
  EXPECT_EQ(In(Format::kUnixMillis, "1718236861"), 61) << "January 1970, as milliseconds";
  EXPECT_EQ(In(Format::kUnixSeconds, "1718236861000"), 61) << "the year 56418, as seconds";
}

TEST(FormatsTest, AbsoluteMomentsSayThatTheyAre) {
  EXPECT_TRUE(ReadMoment(Format::kUnixSeconds, "1718236861", kNow)->absolute);
  EXPECT_TRUE(ReadMoment(Format::kRfc3339, "2024-06-13T00:00:00Z", kNow)->absolute);
  EXPECT_FALSE(ReadMoment(Format::kDeltaSeconds, "5", kNow)->absolute);
  EXPECT_FALSE(ReadMoment(Format::kDuration, "5s", kNow)->absolute);
}

TEST(FormatsTest, HostileMomentsAreUnread) {
  const std::string huge(1 << 20, '9');
  for (const std::string& text :
       {std::string(), std::string("-5"), std::string("NaN"), "1" + std::string(400, '0'),
        std::string("9223372036854775808"), huge, std::string("5\0", 2), std::string("soon"),
        std::string("1e3"), std::string("+5")}) {
    for (const auto& [word, format] : FormatWords()) {
      if (!IsTime(format)) continue;
      EXPECT_EQ(In(format, text), std::nullopt) << word << " " << text.substr(0, 40);
    }
  }
}

TEST(FormatsTest, TheValueChoosesAmongAlternatives) {
  constexpr Format kAll[] = {Format::kUnixSeconds, Format::kUnixMillis, Format::kDeltaSeconds,
                             Format::kRfc3339,     Format::kHttpDate,   Format::kDuration,
                             Format::kDeltaMillis};
  const auto chosen = [&](std::string_view text) {
    const auto moment = ChooseMoment(kAll, text, kNow);
    return moment ? std::optional<double>(ToSeconds(moment->at - kNow)) : std::nullopt;
  };
  EXPECT_EQ(chosen("1718236861"), 61);
  EXPECT_EQ(chosen("1718236861000"), 61);
  EXPECT_EQ(chosen("61"), 61);
  EXPECT_EQ(chosen("0"), 0);
  EXPECT_EQ(chosen("6m1s"), 361);
  EXPECT_EQ(chosen("2024-06-13T00:01:01Z"), 61);
  EXPECT_EQ(chosen("Thu, 13 Jun 2024 00:01:01 GMT"), 61);
  EXPECT_EQ(chosen("72746000"), 72746) << "841 days as seconds, 20 hours as milliseconds";
  EXPECT_EQ(chosen("1718236533"), -267) << "a past reset is printed as said, not taken for another kind";
  EXPECT_EQ(chosen("1583891032"), 1583891032 - 1718236800.0) << "an old recording";
}

TEST(FormatsTest, WithoutAPlausibleAlternativeTheReasonIsTold) {
  constexpr Format kTwo[] = {Format::kUnixSeconds, Format::kDeltaSeconds};
  EXPECT_EQ(ChooseMoment(kTwo, "9999999999", kNow).error(), MomentError::kImplausible);
  EXPECT_EQ(ChooseMoment(kTwo, "soon", kNow).error(), MomentError::kMalformed);
  constexpr Format kOne[] = {Format::kUnixSeconds};
  EXPECT_EQ(ToUnixSeconds(ChooseMoment(kOne, "9999999999", kNow)->at), 9999999999.0)
      << "one format is believed";
}

TEST(FormatsTest, WhereNothingTellsSecondsFromMillisecondsTheLongerWaitIsMeant) {
  constexpr Format kSeconds[] = {Format::kDeltaSeconds, Format::kDeltaMillis};
  constexpr Format kMillis[] = {Format::kDeltaMillis, Format::kDeltaSeconds};
  EXPECT_EQ(ToSeconds(ChooseMoment(kSeconds, "500", kNow)->at - kNow), 500);
  EXPECT_EQ(ToSeconds(ChooseMoment(kMillis, "500", kNow)->at - kNow), 500);
}

TEST(FormatsTest, AKnownRateDecidesBetweenBareMillisecondsAndSeconds) {
  constexpr Format kBoth[] = {Format::kDeltaMillis, Format::kDeltaSeconds};
  const auto chosen = [&](std::string_view text, double expected) {
    return ToSeconds(ChooseMoment(kBoth, text, kNow, expected)->at - kNow);
  };
  EXPECT_EQ(chosen("500", (120 - 119) * 60 / 120.0), 0.5) << "one of 120 a minute is back in half a second";
  EXPECT_EQ(chosen("7", (120000 - 119986) * 60 / 120000.0), 0.007);
  EXPECT_EQ(chosen("1", (50 - 49) * 60 / 50.0), 1) << "1.2 seconds, rounded down";
  EXPECT_EQ(chosen("60", 60), 60);
  EXPECT_EQ(chosen("60000", 60), 60);
  EXPECT_EQ(chosen("0", 0.77), 0);
}

TEST(FormatsTest, WhatIsWrittenIsReadBack) {
  const SystemTime at = kNow + std::chrono::seconds(120);
  for (const auto& [word, format] : FormatWords()) {
    if (!IsTime(format)) continue;
    EXPECT_EQ(ReadMoment(format, WriteMoment(format, at, kNow), kNow)->at, at) << word;
  }
  EXPECT_EQ(WriteMoment(Format::kDuration, kNow + std::chrono::microseconds(1500), kNow), "2ms")
      << "rounded up";
  EXPECT_EQ(WriteMoment(Format::kDeltaSeconds, kNow - std::chrono::seconds(5), kNow), "0");
  EXPECT_EQ(WriteNumber(Format::kInteger, 7.9), "7");
  EXPECT_EQ(WriteNumber(Format::kDecimal, 7.5), "7.5");
}

TEST(FormatsTest, EveryFormatIsNamedOnce) {
  for (const auto& [word, format] : FormatWords()) EXPECT_EQ(ToText(format), word);
}

TEST(IsoDurationTest, ReadsWeeksDaysAndTimes) {
  const auto seconds = [](std::string_view text) { return ToSeconds(*ParseIsoDuration(text)); };
  EXPECT_EQ(seconds("PT0S"), 0);
  EXPECT_EQ(seconds("PT1M30S"), 90);
  EXPECT_EQ(seconds("PT0.5S"), 0.5);
  EXPECT_EQ(seconds("PT0,5S"), 0.5);
  EXPECT_EQ(seconds("PT1.5H"), 5400);
  EXPECT_EQ(seconds("PT36H"), 129600);
  EXPECT_EQ(seconds("P1DT2H"), 93600);
  EXPECT_EQ(seconds("P2W"), 1209600);
  EXPECT_EQ(seconds("P007D"), 604800);
  EXPECT_EQ(FormatIsoDuration(std::chrono::seconds(90)), "PT90S");
}

TEST(IsoDurationTest, RefusesAnythingElse) {
  for (const auto* text :
       {"",       "P",      "PT",         "P1",         "1D",    "P1DT",  "PT1",    "PT1X",
        "P1Y",    "P1M",    "P1Y2M3D",    "-PT1S",      "PT-1S", "+PT1S", "pt1s",   "PT1S ",
        "PT1S1M", "PT1H1H", "PT1.5H1M",   "P0.5DT1H",   "PT.5S", "PT1.S", "PT1e3S", "P1D1W",
        "PTT1S",  "PT1S2",  "P99999999W", "PT\u00001S", "PTS"}) {
    EXPECT_EQ(ParseIsoDuration(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseIsoDuration("PT1" + std::string(1 << 20, '0') + "S"), std::nullopt);
}

TEST(Rfc3339Test, ReadsOffsetsFractionsAndLooseSeparators) {
  for (const auto* text :
       {"2024-06-13T00:00:00Z", "2024-06-13t00:00:00z", "2024-06-13 00:00:00Z", "2024-06-13T05:30:00+05:30",
        "2024-06-12T19:00:00-05:00", "2024-06-13T00:00:00.0000001Z", "2024-06-13T00:00:00",
        "2024-06-13T00:00Z", "2024-06-13T00:00:00+0000", "2024-06-13T05:30:00+0530", "2024-06-13T02:00:00+02",
        "2024-06-13 00:00:00 UTC", "2024-06-13 00:00:00 GMT", "2024-06-13 00:00:00 +0000",
        "2024-06-13 00:00:00.0 +0000 UTC"}) {
    EXPECT_EQ(ParseRfc3339(text), kNow) << text;
  }
  EXPECT_EQ(FormatRfc3339(kNow), "2024-06-13T00:00:00Z");
}

TEST(Rfc3339Test, RefusesAnythingElse) {
  for (const auto* text :
       {"", "2024-06-13", "2024-06-13T00", "2024-06-13T00:00:00 CET", "2024-13-13T00:00:00Z",
        "2024-02-30T00:00:00Z", "2024-06-13T24:00:00Z", "2024-06-13T00:60:00Z", "2024-06-13T00:00:00.Z",
        "2024-06-13T00:00:00.1234567890Z", "2024-06-13T00:00:00+053", "2024-06-13T00:00:00+24:00",
        "2024-06-13T00:00:00Zx", "1969-12-31T23:59:59Z", "+024-06-13T00:00:00Z", "20240613T000000Z"}) {
    EXPECT_EQ(ParseRfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace apiquota::provider
