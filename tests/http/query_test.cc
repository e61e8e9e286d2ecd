#include "http/query.h"

#include <gtest/gtest.h>

namespace apiquota::http {
namespace {

TEST(QueryTest, IsReadParameterByParameterAsItStands) {
  std::string read;
  QueryReader reader(QueryOf("/x?a=1&b&=c&&d=%26=e?f#g?h=1"));
  for (QueryParameter parameter; reader.Next(&parameter);)
    read.append("[").append(parameter.name).append("|").append(parameter.value).append("]");
  EXPECT_EQ(read, "[a|1][b|][|c][|][d|%26=e?f]");
  EXPECT_EQ(QueryOf("/x"), "");
  EXPECT_EQ(QueryOf("/x#?a=1"), "");
  EXPECT_EQ(QueryOf("https://h/x?a"), "a");
}

TEST(QueryTest, ANameIsTheSameHoweverItIsEscapedAndInAnyCase) {
  for (const char* written : {"api_key", "API_key", "%61pi_key", "api%5Fkey", "api%5fkey"})
    EXPECT_TRUE(MeansName(written, "api_key")) << written;
  for (const char* written : {"", "api", "api_keys", "api-key", "api%5", "api%255Fkey", "xapi_key"})
    EXPECT_FALSE(MeansName(written, "api_key")) << written;
}

TEST(QueryTest, WhatIsNoCodeStaysWhenItIsDecoded) {
  EXPECT_EQ(PercentDecoded("a%2Bb+c%zz%4"), "a+b+c%zz%4");
  EXPECT_EQ(PercentDecoded("%2541"), "%41") << "once";
}

TEST(QueryTest, ParametersAreAddedEscapedAndRemovedWithoutATrace) {
  const auto added = [](std::string address) {
    AppendParameter("k", "a+b/c~ d", &address);
    return address;
  };
  EXPECT_EQ(added("/x"), "/x?k=a%2Bb%2Fc~%20d");
  EXPECT_EQ(added("/x?"), "/x?k=a%2Bb%2Fc~%20d");
  EXPECT_EQ(added("/x?a=1"), "/x?a=1&k=a%2Bb%2Fc~%20d");
  const auto without_k = [](std::string address) {
    RemoveParameters(&address, [](const QueryParameter& parameter) { return parameter.name == "k"; });
    return address;
  };
  EXPECT_EQ(without_k("/x?k=1"), "/x");
  EXPECT_EQ(without_k("/x?k=1&k=2#f"), "/x#f");
  EXPECT_EQ(without_k("/x?a=%2f&k=1&b=?"), "/x?a=%2f&b=?");
  EXPECT_EQ(without_k("/x?a&&b&"), "/x?a&&b&") << "untouched where there is nothing to remove";
}

}  // namespace
}  // namespace apiquota::http
