#include "base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace apiquota {
namespace {

using Parts = std::vector<std::string_view>;

TEST(TextTest, CaseIsIgnoredForAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Retry-After", "retry-AFTER"));
  EXPECT_FALSE(EqualsIgnoreCase("Retry-After", "retry-after "));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));  // 0x5b and 0x7b differ by the case bit, but are no letters
  EXPECT_FALSE(EqualsIgnoreCase("Ä", "ä"));
  EXPECT_TRUE(StartsWithIgnoreCase("X-RateLimit-Limit", "x-ratelimit-"));
  EXPECT_FALSE(StartsWithIgnoreCase("X-Rate", "x-ratelimit-"));
  EXPECT_TRUE(ContainsIgnoreCase("application/JSON; charset=utf-8", "json"));
  EXPECT_TRUE(ContainsIgnoreCase("", ""));
  EXPECT_FALSE(ContainsIgnoreCase("text", "json"));
  EXPECT_EQ(ToLower("X-RateLimit-É"), "x-ratelimit-É");
}

TEST(TextTest, TrimTakesSpacesAndTabsOnly) {
  EXPECT_EQ(Trim(" \t a b \t"), "a b");
  EXPECT_EQ(Trim("\r\na\n"), "\r\na\n");
  EXPECT_EQ(Trim(" \t "), "");
}

TEST(TextTest, SplitNeverGivesNothing) {
  EXPECT_EQ(Split("", ','), Parts({""}));
  EXPECT_EQ(Split("a", ','), Parts({"a"}));
  EXPECT_EQ(Split("a,, b,", ','), Parts({"a", "", " b", ""}));
}

TEST(TextTest, DigitsAreDigitsAndNothingElse) {
  EXPECT_EQ(ParseDigits("0"), 0u);
  EXPECT_EQ(ParseDigits("007"), 7u);
  EXPECT_EQ(ParseDigits("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  for (const char* text : {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "１"}) {
    EXPECT_EQ(ParseDigits(text), std::nullopt) << text;
  }
}

TEST(TextTest, DecimalsHaveNoExponentAndNoNames) {
  EXPECT_EQ(ParseDecimal("0"), 0.0);
  EXPECT_EQ(ParseDecimal("-12.50"), -12.5);
  EXPECT_EQ(ParseDecimal("123456789012345678901234567890"), 123456789012345678901234567890.0);
  for (const char* text :
       {"", "-", ".", "1.", ".5", "-.5", "1.2.3", "+1", " 1", "1e3", "0x1", "inf", "nan", "1,5", "--1"}) {
    EXPECT_EQ(ParseDecimal(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDecimal(std::string(400, '9')), std::nullopt) << "beyond a double";
}

TEST(TextTest, CharactersOfUtf8AreWholeAndShortest) {
  EXPECT_EQ(Utf8Length("a"), 1U);
  EXPECT_EQ(Utf8Length(std::string_view("\0", 1)), 1U);
  EXPECT_EQ(Utf8Length("\u00e9x"), 2U);
  EXPECT_EQ(Utf8Length("\u20ac"), 3U);
  EXPECT_EQ(Utf8Length("\U0010ffff"), 4U);
  for (const char* text : {"", "\x80", "\xc3", "\xc3x", "\xc0\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(Utf8Length(text), 0U) << testing::PrintToString(text);
  }
}

TEST(TextTest, SuggestionsAreSlipsOfTheKeyboardOnly) {
  const std::string_view words[] = {"name", "exporter", "base_url", "route", "labels", "keys"};
  EXPECT_EQ(ClosestMatch("exproter", words), "exporter");
  EXPECT_EQ(ClosestMatch("naem", words), "name");
  EXPECT_EQ(ClosestMatch("base_ur", words), "base_url");
  EXPECT_EQ(ClosestMatch("label", words), "labels");
  EXPECT_EQ(ClosestMatch("guard", words), "");
  EXPECT_EQ(ClosestMatch("", words), "");
  const std::string_view letters[] = {"m", "h"};
  EXPECT_EQ(ClosestMatch("s", letters), "") << "a word of other letters is no slip";
}

TEST(TextTest, NumbersAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(FormatNumber(5000), "5000");
  EXPECT_EQ(FormatNumber(-0.0), "0");
  EXPECT_EQ(FormatNumber(0.25), "0.25");
  EXPECT_EQ(FormatNumber(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(FormatNumber(9007199254740991.0), "9007199254740991");
  EXPECT_EQ(FormatNumber(0.00001), "1e-05");
  EXPECT_EQ(FormatNumber(1e300), "1e+300");
}

}  // namespace
}  // namespace apiquota
