#include "provider/structured_field.h"

#include <gtest/gtest.h>

namespace apiquota::provider::sf {
namespace {

std::optional<BareItem> Bare(std::string_view text) {
  const auto item = ParseItem(text);
  if (!item || !item->parameters.empty()) return std::nullopt;
  return item->value;
}

Item Plain(BareItem value) { return {std::move(value), {}}; }

TEST(StructuredFieldTest, Integers) {
  EXPECT_EQ(Bare("42"), BareItem(int64_t{42}));
  EXPECT_EQ(Bare("-0042"), BareItem(int64_t{-42}));
  EXPECT_EQ(Bare("  0  "), BareItem(int64_t{0}));
  EXPECT_EQ(Bare("999999999999999"), BareItem(int64_t{999999999999999}));
  for (const auto* bad : {"1000000000000000", "--1", "-", "+1", "1 2", "1a", "0x10", "\t1", "1\t"}) {
    EXPECT_EQ(Bare(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, Decimals) {
  EXPECT_EQ(Bare("4.5"), BareItem(4.5));
  EXPECT_EQ(Bare("-123456789012.125"), BareItem(-123456789012.125));
  for (const auto* bad : {"1.", ".5", "1.2345", "1234567890123.1", "1.2.3", "1.-2"}) {
    EXPECT_EQ(Bare(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, Strings) {
  EXPECT_EQ(Bare(R"("a \"quote\" and \\")"), BareItem(std::string(R"(a "quote" and \)")));
  EXPECT_EQ(Bare(R"("")"), BareItem(std::string()));
  for (const auto* bad :
       {R"("open)", R"("\n")", "\"tab\t\"", "\"\x7f\"", "\"\xc3\xbc\"", "'single'", R"("\)"}) {
    EXPECT_EQ(Bare(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(Bare(std::string_view("\"\0\"", 3)), std::nullopt);
}

TEST(StructuredFieldTest, Tokens) {
  EXPECT_EQ(Bare("*a/b:c!#$%&'*+-.^_`|~"), BareItem(Token{"*a/b:c!#$%&'*+-.^_`|~"}));
  EXPECT_EQ(Bare("Foo123"), BareItem(Token{"Foo123"}));
  EXPECT_EQ(Bare("a(b"), std::nullopt);
  EXPECT_EQ(Bare("_a"), std::nullopt);
}

TEST(StructuredFieldTest, ByteSequences) {
  EXPECT_EQ(Bare(":aGVsbG8=:"), BareItem(ByteSequence{"hello"}));
  EXPECT_EQ(Bare(":aGVsbG8:"), BareItem(ByteSequence{"hello"})) << "padding may be missing";
  EXPECT_EQ(Bare("::"), BareItem(ByteSequence{""}));
  EXPECT_EQ(Bare(":iZ==:"), BareItem(ByteSequence{"\x89"})) << "spare bits may be set";
  for (const auto* bad : {":aGVsbG8=", ":aGVs bG8=:", ":a:", ":_-Ah:", ":aG=sbG8:"}) {
    EXPECT_EQ(Bare(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, BooleansAndDates) {
  EXPECT_EQ(Bare("?1"), BareItem(true));
  EXPECT_EQ(Bare("?0"), BareItem(false));
  EXPECT_EQ(Bare("@1659578233"), BareItem(Date{1659578233}));
  EXPECT_EQ(Bare("@-1"), BareItem(Date{-1}));
  for (const auto* bad : {"?", "?2", "?10", "@", "@1.5", "@a"}) EXPECT_EQ(Bare(bad), std::nullopt) << bad;
}

TEST(StructuredFieldTest, DisplayStrings) {
  EXPECT_EQ(Bare(R"(%"f%c3%bc and %22")"), BareItem(DisplayString{"f\xc3\xbc and \""}));
  for (const auto* bad :
       {R"(%"%C3%BC")", R"(%"%c3")", R"(%"%ed%a0%80")", R"(%"%f4%90%80%80")", R"(%"%c0%80")", R"(%"open)",
        R"(%"%2")", R"(%a)", "%\"\xc3\xbc\"", R"(%"%e2%82")"}) {
    EXPECT_EQ(Bare(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, ParametersKeepTheLastValueOfAKey) {
  const auto item = ParseItem("a;b;  c=1;d=\"x\";c=?0");
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->parameters, (Parameters{{"b", true}, {"c", false}, {"d", std::string("x")}}));
  EXPECT_NE(FindParameter<bool>(item->parameters, "b"), nullptr);
  EXPECT_EQ(FindParameter<int64_t>(item->parameters, "b"), nullptr) << "of another type";
  for (const auto* bad : {"a ;b", "a;\tb", "a;B", "a;b =1", "a;b= 1", "a;", "a;1", "a;b=", "a;b=(1)"}) {
    EXPECT_EQ(ParseItem(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, ListsAndInnerLists) {
  EXPECT_EQ(ParseList(""), List{});
  EXPECT_EQ(ParseList("1 ,\t2"), (List{Plain(int64_t{1}), Plain(int64_t{2})}));
  const InnerList inner{{Plain(int64_t{1}), Item{Token{"a"}, {{"q", true}}}}, {{"w", int64_t{60}}}};
  EXPECT_EQ(ParseList("( 1  a;q );w=60, ()"), (List{inner, InnerList{}}));
  for (const auto* bad :
       {"1,", ",1", "1,,2", "1 2", "(1", "(1 2", "(1,2)", "((1))", "(1\t2)", "1;q=(2)", "(1)a"}) {
    EXPECT_EQ(ParseList(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, Dictionaries) {
  EXPECT_EQ(ParseDictionary("limit=100, remaining=50,reset=5"), (Dictionary{{"limit", Plain(int64_t{100})},
                                                                            {"remaining", Plain(int64_t{50})},
                                                                            {"reset", Plain(int64_t{5})}}));
  EXPECT_EQ(ParseDictionary("a;x=1, b=(1), a=2"),
            (Dictionary{{"a", Plain(int64_t{2})}, {"b", InnerList{{Plain(int64_t{1})}, {}}}}))
      << "the last value counts, at the first one's place";
  for (const auto* bad : {"a=1,", "a=1 b=2", "A=1", "a =1", "a= 1", "1=a", "a=", "=1", "a=1;;b"}) {
    EXPECT_EQ(ParseDictionary(bad), std::nullopt) << bad;
  }
}

TEST(StructuredFieldTest, HugeContainersAreRefused) {
  std::string list = "1";
  for (size_t i = 1; i < kMembersMax; ++i) list += ",1";
  EXPECT_EQ(ParseList(list)->size(), kMembersMax);
  EXPECT_EQ(ParseList(list + ",1"), std::nullopt);
  std::string parameters = "a";
  for (size_t i = 0; i <= kMembersMax; ++i) parameters += ";k" + std::to_string(i);
  EXPECT_EQ(ParseItem(parameters), std::nullopt);
}

}  // namespace
}  // namespace apiquota::provider::sf
