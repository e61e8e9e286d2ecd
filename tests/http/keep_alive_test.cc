#include "http/keep_alive.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/codec.h"

namespace apiquota::http {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// What the parser makes of these fields.
std::optional<Micros> OfHead(std::initializer_list<std::string_view> values) {
  std::string head = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n";
  for (const std::string_view value : values) head.append("Keep-Alive: ").append(value).append("\r\n");
  ResponseParser parser({});
  parser.Reset("GET");
  std::vector<std::string_view> body;
  EXPECT_TRUE(parser.Parse(head + "\r\n", &body).head_complete);
  return parser.head().keep_alive_timeout;
}

TEST(KeepAliveTest, TheTimeoutIsReadWhereverItStands) {
  EXPECT_EQ(KeepAliveTimeout("timeout=5"), seconds(5));
  EXPECT_EQ(KeepAliveTimeout("max=100,TimeOut = 60 "), seconds(60));
  EXPECT_EQ(KeepAliveTimeout("timeout=0"), seconds(0));
  EXPECT_EQ(OfHead({"max=5", "timeout=7"}), seconds(7));
}

TEST(KeepAliveTest, OfSeveralTheLeastCounts) {
  EXPECT_EQ(OfHead({"timeout=9, timeout=5", "timeout=7"}), seconds(5));
}

TEST(KeepAliveTest, WhatIsNotANumberOfSecondsSaysNothing) {
  for (const std::string_view value : {"", "timeout", "timeout=", "timeout=-1", "timeout=1.5", "timeout=5s",
                                       "timeout=99999999999999999999", "max=5", "xtimeout=5", "="}) {
    EXPECT_EQ(KeepAliveTimeout(value), std::nullopt) << value;
  }
  EXPECT_EQ(OfHead({"max=5"}), std::nullopt);
  EXPECT_EQ(OfHead({}), std::nullopt);
}

TEST(KeepAliveTest, ADayIsTheMost) { EXPECT_EQ(KeepAliveTimeout("timeout=18446744073709551615"), hours(24)); }

}  // namespace
}  // namespace apiquota::http
