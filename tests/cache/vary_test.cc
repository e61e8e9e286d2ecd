// RFC 9111 section 4.1.
#include "cache/vary.h"

#include <gtest/gtest.h>

#include "tests/cache/ask.h"

namespace apiquota::cache {
namespace {

// Whether an answer to `first` that says `vary` is one to `second`.
bool SelectsAlike(std::string_view vary, Lines first, Lines second) {
  const http::Fields later = FieldsOf(second);
  return Selection(later).Matches(SelectorsOf(FieldsOf({{"Vary", vary}}), FieldsOf(first)));
}

TEST(VaryTest, TheFieldsThatItNamesMustBeTheSame) {
  EXPECT_TRUE(SelectsAlike("Foo", {{"foo", "1"}}, {{"FOO", "1"}, {"Other", "2"}}));
  EXPECT_FALSE(SelectsAlike("Foo", {{"Foo", "1"}}, {{"Foo", "2"}}));
  EXPECT_FALSE(SelectsAlike("Foo, Bar", {{"Foo", "1"}, {"Bar", "a"}}, {{"Foo", "1"}, {"Bar", "b"}}));
  EXPECT_TRUE(SelectsAlike("Foo, Bar, foo", {{"Foo", "1"}}, {{"Foo", "1"}}));
  EXPECT_TRUE(SelectsAlike("", {{"Foo", "1"}}, {{"Foo", "2"}}));
}

TEST(VaryTest, AFieldThatIsMissingIsLikeNoneButAMissingOne) {
  EXPECT_TRUE(SelectsAlike("Foo", {}, {}));
  EXPECT_FALSE(SelectsAlike("Foo", {}, {{"Foo", ""}}));
  EXPECT_FALSE(SelectsAlike("Foo", {{"Foo", "1"}}, {}));
}

TEST(VaryTest, BlanksAndLinesMakeNoDifference) {
  EXPECT_TRUE(SelectsAlike("Foo", {{"Foo", "1, 2"}}, {{"Foo", " 1 ,2 "}}));
  EXPECT_TRUE(SelectsAlike("Foo", {{"Foo", "1,2"}}, {{"Foo", "1"}, {"Foo", "2"}}));
  EXPECT_FALSE(SelectsAlike("Foo", {{"Foo", "1,2"}}, {{"Foo", "2,1"}}));
  EXPECT_FALSE(SelectsAlike("Foo", {{"Foo", "\"a , b\""}}, {{"Foo", "\"a,b\""}}));
}

TEST(VaryTest, CaseMakesADifferenceWhereItMayMeanOne) {
  EXPECT_FALSE(SelectsAlike("Foo", {{"Foo", "a"}}, {{"Foo", "A"}}));
  EXPECT_TRUE(
      SelectsAlike("Accept-Language", {{"Accept-Language", "en, de"}}, {{"Accept-Language", "EN, de"}}));
}

TEST(VaryTest, AStarAnywhereMatchesNothing) {
  for (const std::string_view vary : {"*", "*, *", ", *", "Foo, *", "*,Foo"}) {
    EXPECT_TRUE(VariesByAnything(FieldsOf({{"Vary", vary}}))) << vary;
  }
  EXPECT_TRUE(VariesByAnything(FieldsOf({{"Vary", "Foo"}, {"vary", "*"}})));
  EXPECT_FALSE(VariesByAnything(FieldsOf({{"Vary", "Foo"}})));
}

TEST(VaryTest, ACodedAnswerIsForWhoAsksForTheSameCodings) {
  const Selectors selectors =
      SelectorsOf(FieldsOf({{"Content-Encoding", "gzip"}}), FieldsOf({{"Accept-Encoding", "gzip"}}));
  const http::Fields same = FieldsOf({{"Accept-Encoding", "GZIP"}});
  const http::Fields none;
  EXPECT_TRUE(Selection(same).Matches(selectors));
  EXPECT_FALSE(Selection(none).Matches(selectors));
}

TEST(VaryTest, LongValuesTakeNoRoom) {
  const Selectors selectors =
      SelectorsOf(FieldsOf({{"Vary", "Foo"}}), FieldsOf({{"Foo", std::string(60'000, 'x')}}));
  EXPECT_EQ(sizeof(Selector) * selectors.capacity(), sizeof(Selector));
}

}  // namespace
}  // namespace apiquota::cache
