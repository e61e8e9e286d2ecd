#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace apiquota {
namespace {

IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress{});
}

TEST(IpAddressTest, OnlyStrictTextualFormsAreAddresses) {
  for (const std::string_view text : {"127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "127.0.0.1 ",
                                      "[127.0.0.1]", "[::1", "::1%lo", "localhost", "1:2:3:4:5:6:7::8",
                                      "::1.2.3.256", "1111:1111:1111:1111:1111:1111:111.111.111.1111", ""}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_EQ(Ip("[::1]").ToText(), "::1");
  EXPECT_EQ(Ip("2001:DB8:0:0::1").ToText(), "2001:db8::1");
  EXPECT_EQ(Unmapped(Ip("::ffff:1.2.3.4")), Ip("1.2.3.4"));
  EXPECT_TRUE(Ip("::ffff:127.0.0.9").IsLoopback());
  EXPECT_FALSE(Ip("128.0.0.1").IsLoopback());
}

TEST(IpAddressTest, ANulByteEndsNoAddress) {
  EXPECT_FALSE(IpAddress::Parse(std::string_view("127.0.0.1\0.example", 18)));
}

TEST(IpAddressTest, AllAddressesHaveTwoForms) {
  EXPECT_TRUE(Ip("0.0.0.0").IsUnspecified());
  EXPECT_TRUE(Ip("::").IsUnspecified());
  EXPECT_FALSE(Ip("::1").IsUnspecified());
  EXPECT_FALSE(Ip("0.0.0.1").IsUnspecified());
}

}  // namespace
}  // namespace apiquota
