// Whose address counts behind proxies, whatever X-Forwarded-For says.
#include "proxy/client_address.h"

#include <gtest/gtest.h>

#include <vector>

namespace apiquota::proxy {
namespace {

const std::vector<IpNetwork> kTrusted = {
    *IpNetwork::Parse("10.0.0.0/8"), *IpNetwork::Parse("2001:db8:ffff::/48"), *IpNetwork::Parse("127.0.0.1")};

std::string Client(std::string_view peer, std::vector<std::string_view> lines,
                   const std::vector<IpNetwork>& trusted = kTrusted) {
  http::Fields fields;
  fields.Add("Host", "localhost");
  for (const std::string_view line : lines) fields.Add("X-Forwarded-For", line);
  fields.Add("Forwarded", "for=192.0.2.200");
  return ClientAddress(*IpAddress::Parse(peer), trusted, fields);
}

TEST(ClientAddressTest, WithoutTrustedProxiesItIsThePeerWhateverItSays) {
  EXPECT_EQ(Client("203.0.113.7", {"192.0.2.1"}, {}), "203.0.113.7");
  EXPECT_EQ(Client("203.0.113.7", {"192.0.2.1"}), "203.0.113.7") << "nor is a stranger believed";
  EXPECT_EQ(Client("10.1.2.3", {}), "10.1.2.3");
}

TEST(ClientAddressTest, WhatStandsAheadOfTheFirstStrangerIsNotBelieved) {
  EXPECT_EQ(Client("10.0.0.1", {"192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.1", {"1.1.1.1, 192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.1", {"1.1.1.1, 10.9.9.9, 192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.1", {"1.1.1.1, 192.0.2.1, 10.0.0.2,10.0.0.3"}), "192.0.2.1");
}

TEST(ClientAddressTest, SeveralLinesAreOneListInTheirOrder) {
  EXPECT_EQ(Client("10.0.0.1", {"1.1.1.1", "192.0.2.1", "10.0.0.2"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.1", {"10.0.0.4", "10.0.0.3, 10.0.0.2"}), "10.0.0.4") << "all are proxies";
}

TEST(ClientAddressTest, WhereAHopCannotBeReadTheProxyThatSaidSoIsTheClient) {
  for (const char* hop :
       {"", " ", "unknown", "_hidden", "example.com", "1.1.1.1.1", "01.2.3.4", "1.1.1.1:x",
        "1.1.1.1:", "[::1", "[::1]x", "[1.1.1.1]", "1.1.1.1:123456", "for=1.1.1.1", "\"1.1.1.1\""})
    EXPECT_EQ(Client("10.0.0.1", {std::string("1.2.3.4, ") + hop + ", 10.0.0.2"}), "10.0.0.2") << hop;
  EXPECT_EQ(Client("10.0.0.1", {"192.0.2.1,"}), "10.0.0.1");
  EXPECT_EQ(Client("10.0.0.1", {""}), "10.0.0.1");
}

TEST(ClientAddressTest, PortsAndBracketsAreNoPartOfAnAddress) {
  EXPECT_EQ(Client("10.0.0.1", {"192.0.2.1:50123"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.1", {"[2001:db8:1:2:3::4]:50123"}), "2001:db8:1:2::/64");
  EXPECT_EQ(Client("10.0.0.1", {"[2001:db8:1:2:3::4]"}), "2001:db8:1:2::/64");
  EXPECT_EQ(Client("10.0.0.1", {"2001:db8:1:2:3::4"}), "2001:db8:1:2::/64");
}

TEST(ClientAddressTest, OneHostHasAWholeIpv6Network) {
  EXPECT_EQ(Client("2001:db8:1:2:aaaa::1", {}), Client("2001:db8:1:2:bbbb::2", {}));
  EXPECT_NE(Client("2001:db8:1:2::1", {}), Client("2001:db8:1:3::1", {}));
  EXPECT_EQ(Client("2001:db8:ffff::1", {"2001:db8:1:2::1"}), "2001:db8:1:2::/64");
}

TEST(ClientAddressTest, Ipv4InIpv6IsIpv4) {
  EXPECT_EQ(Client("::ffff:203.0.113.7", {}), "203.0.113.7");
  EXPECT_EQ(Client("::ffff:10.0.0.1", {"::ffff:192.0.2.1"}), "192.0.2.1");
}

TEST(ClientAddressTest, WhoHasNoAddressIsOfThisMachine) {
  EXPECT_EQ(ClientAddress(IpAddress{}, {}, http::Fields()), "127.0.0.1");
  http::Fields fields;
  fields.Add("x-forwarded-for", "192.0.2.1");
  EXPECT_EQ(ClientAddress(IpAddress{}, kTrusted, fields), "192.0.2.1");
}

}  // namespace
}  // namespace apiquota::proxy
