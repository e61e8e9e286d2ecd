#include "http/keep_alive.h"

#include <gtest/gtest.h>

namespace apiquota::http {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

std::optional<Micros> Timeout(std::initializer_list<std::string_view> values) {
  Fields fields;
  fields.Add("Content-Type", "text/plain");
  for (const std::string_view value : values) fields.Add("Keep-Alive", value);
  return KeepAliveTimeout(fields);
}

TEST(KeepAliveTest, TheTimeoutIsReadWhereverItStands) {
  EXPECT_EQ(Timeout({"timeout=5"}), seconds(5));
  EXPECT_EQ(Timeout({"max=100,TimeOut = 60 "}), seconds(60));
  EXPECT_EQ(Timeout({"timeout=0"}), seconds(0));
  EXPECT_EQ(Timeout({"max=5", "timeout=7"}), seconds(7));
}

TEST(KeepAliveTest, OfSeveralTheLeastCounts) {
  EXPECT_EQ(Timeout({"timeout=9, timeout=5", "timeout=7"}), seconds(5));
}

TEST(KeepAliveTest, WhatIsNotANumberOfSecondsSaysNothing) {
  for (const std::string_view value : {"", "timeout", "timeout=", "timeout=-1", "timeout=1.5", "timeout=5s",
                                       "timeout=99999999999999999999", "max=5", "xtimeout=5", "="}) {
    EXPECT_EQ(Timeout({value}), std::nullopt) << value;
  }
  EXPECT_EQ(Timeout({}), std::nullopt);
}

TEST(KeepAliveTest, ADayIsTheMost) { EXPECT_EQ(Timeout({"timeout=18446744073709551615"}), hours(24)); }

}  // namespace
}  // namespace apiquota::http
