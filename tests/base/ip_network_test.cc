#include "base/ip_network.h"

#include <gtest/gtest.h>

namespace apiquota {
namespace {

bool Contains(std::string_view network, std::string_view address) {
  return IpNetwork::Parse(network)->Contains(*IpAddress::Parse(address));
}

TEST(IpNetworkTest, AnAddressAloneIsANetworkOfItself) {
  EXPECT_EQ(IpNetwork::Parse("192.0.2.1")->bits, 32);
  EXPECT_EQ(IpNetwork::Parse("2001:db8::1")->bits, 128);
  EXPECT_TRUE(Contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(Contains("192.0.2.1", "192.0.2.2"));
}

TEST(IpNetworkTest, WhatIsNoNetworkIsNotTakenForOne) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/+8", "10.0.0.0/ 8",
        "10.0.0.0 /8", "10.0.0/8", "::/129", "example.com", "*", "fe80::%1/64"})
    EXPECT_FALSE(IpNetwork::Parse(text)) << text;
}

TEST(IpNetworkTest, HostBitsMustBeZeroSoThatNobodyTrustsMoreThanTheyMeant) {
  EXPECT_FALSE(IpNetwork::Parse("10.0.0.1/8"));
  EXPECT_FALSE(IpNetwork::Parse("2001:db8::1/64"));
  EXPECT_TRUE(IpNetwork::Parse("10.128.0.0/9"));
  EXPECT_FALSE(IpNetwork::Parse("10.192.0.0/9"));
}

TEST(IpNetworkTest, ItHoldsItsFirstAndLastAddressAndNeitherNeighbour) {
  EXPECT_TRUE(Contains("10.16.0.0/12", "10.16.0.0"));
  EXPECT_TRUE(Contains("10.16.0.0/12", "10.31.255.255"));
  EXPECT_FALSE(Contains("10.16.0.0/12", "10.15.255.255"));
  EXPECT_FALSE(Contains("10.16.0.0/12", "10.32.0.0"));
  EXPECT_TRUE(Contains("2001:db8:0:8::/61", "2001:db8:0:f:ffff::1"));
  EXPECT_FALSE(Contains("2001:db8:0:8::/61", "2001:db8:0:10::"));
  EXPECT_TRUE(Contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_TRUE(Contains("::/0", "2001:db8::1"));
}

TEST(IpNetworkTest, FamiliesAreApartButForIpv4InIpv6) {
  EXPECT_FALSE(Contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(Contains("::/0", "127.0.0.1"));
  EXPECT_TRUE(Contains("127.0.0.0/8", "::ffff:127.0.0.1"));
}

}  // namespace
}  // namespace apiquota
