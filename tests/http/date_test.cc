#include "http/date.h"

#include <gtest/gtest.h>

namespace apiquota::http {
namespace {

const SystemTime kNow{std::chrono::seconds(1718236800)};     // 2024-06-13
const SystemTime kExample{std::chrono::seconds(784111777)};  // RFC 9110 5.6.7

TEST(HttpDateTest, AcceptsTheThreeForms) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kExample);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kExample);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994", kNow), kExample);
  EXPECT_EQ(ParseHttpDate("Wed Nov 16 08:49:37 1994", kNow), kExample + std::chrono::days(10));
}

TEST(HttpDateTest, TwoDigitYearsMoreThanFiftyYearsAheadAreOfThePastCentury) {
  const auto year = [](std::string_view text) {
    const auto time = ParseHttpDate(text, kNow);
    return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*time)).year());
  };
  EXPECT_EQ(year("Friday, 01-Jan-74 00:00:00 GMT"), 2074);
  EXPECT_EQ(year("Friday, 01-Jan-75 00:00:00 GMT"), 1975);
  EXPECT_EQ(year("Friday, 01-Jan-24 00:00:00 GMT"), 2024);
}

TEST(HttpDateTest, RefusesWhatIsNoneOfTheForms) {
  for (const std::string_view text : {"",
                                      "Sun",
                                      "sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      " Sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:00:00 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "Sun, 06 Nov 0000 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06-Nov-94 08:49:37 GMT",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Sun Nov 06 08:49:37 94",
                                      "1994-11-06T08:49:37Z",
                                      "784111777",
                                      "Sun, 06 Nov 1994 +8:49:37 GMT"}) {
    EXPECT_EQ(ParseHttpDate(text, kNow), std::nullopt) << text;
  }
}

TEST(HttpDateTest, WritesImfFixdateAndReadsItBack) {
  EXPECT_EQ(FormatHttpDate(kExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(kNow + std::chrono::milliseconds(999)), "Thu, 13 Jun 2024 00:00:00 GMT");
  EXPECT_EQ(ParseHttpDate(FormatHttpDate(kNow), kNow), kNow);
}

}  // namespace
}  // namespace apiquota::http
