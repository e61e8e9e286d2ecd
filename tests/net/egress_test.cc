#include "net/egress.h"

#include <gtest/gtest.h>

namespace apiquota::net {
namespace {

IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress{});
}

TEST(EgressTest, OnlyGloballyReachableAddressesArePublic) {
  const struct {
    std::string_view address;
    bool is_public;
  } cases[] = {
      {"8.8.8.8", true},
      {"1.1.1.1", true},
      {"172.15.255.255", true},
      {"172.32.0.0", true},
      {"100.63.255.255", true},
      {"100.128.0.0", true},
      {"169.253.255.255", true},
      {"192.167.255.255", true},
      {"198.17.255.255", true},
      {"223.255.255.255", true},
      {"2606:4700::1111", true},
      {"2a00:1450:4001::1", true},
      {"::ffff:8.8.8.8", true},
      {"64:ff9b::8.8.8.8", true},
      {"2002:808:808::1", true},
      {"0.0.0.0", false},
      {"0.1.2.3", false},
      {"10.0.0.1", false},
      {"10.255.255.255", false},
      {"100.64.0.1", false},
      {"100.127.255.255", false},
      {"127.0.0.1", false},
      {"127.255.255.255", false},
      {"169.254.169.254", false},
      {"172.16.0.1", false},
      {"172.31.255.255", false},
      {"192.0.0.1", false},
      {"192.0.2.1", false},
      {"192.168.0.1", false},
      {"198.18.0.1", false},
      {"198.19.255.255", false},
      {"198.51.100.7", false},
      {"203.0.113.7", false},
      {"224.0.0.1", false},
      {"240.0.0.1", false},
      {"255.255.255.255", false},
      {"::", false},
      {"::1", false},
      {"::ffff:127.0.0.1", false},
      {"::ffff:10.0.0.1", false},
      {"::127.0.0.1", false},
      {"64:ff9b::7f00:1", false},
      {"64:ff9b::a00:1", false},
      {"64:ff9b:1::1", false},
      {"2002:7f00:1::", false},
      {"2002:c0a8:1::1", false},
      {"2001::1", false},
      {"2001:db8::1", false},
      {"fc00::1", false},
      {"fdff::1", false},
      {"fe80::1", false},
      {"febf::1", false},
      {"fec0::1", false},
      {"ff02::1", false},
      {"100::1", false},
      {"3fff::1", false},
      {"5f00::1", false},
  };
  for (const auto& c : cases) EXPECT_EQ(IsPublic(Ip(c.address)), c.is_public) << c.address;
}

TEST(EgressTest, PrivateUpstreamsNeedTheOperatorAndOwnListenersAreNeverReached) {
  const uint16_t own_ports[] = {4290, 9429};
  const IpAddress own_addresses[] = {Ip("192.168.1.5"), Ip("2a00::5")};
  const struct {
    std::string_view address;
    uint16_t port;
    bool private_allowed;
    EgressVerdict verdict;
  } cases[] = {
      {"8.8.8.8", 443, false, EgressVerdict::kAllowed},
      {"8.8.8.8", 4290, false, EgressVerdict::kAllowed},
      {"127.0.0.1", 8080, false, EgressVerdict::kNotPublic},
      {"127.0.0.1", 8080, true, EgressVerdict::kAllowed},
      {"192.168.1.5", 8080, true, EgressVerdict::kAllowed},
      {"127.0.0.1", 4290, true, EgressVerdict::kOwnListener},
      {"127.1.2.3", 9429, true, EgressVerdict::kOwnListener},
      {"0.0.0.0", 9429, true, EgressVerdict::kOwnListener},
      {"::", 9429, true, EgressVerdict::kOwnListener},
      {"::1", 9429, true, EgressVerdict::kOwnListener},
      {"::ffff:127.0.0.1", 9429, true, EgressVerdict::kOwnListener},
      {"192.168.1.5", 4290, true, EgressVerdict::kOwnListener},
      {"::ffff:192.168.1.5", 4290, true, EgressVerdict::kOwnListener},
      {"192.168.1.6", 4290, true, EgressVerdict::kAllowed},
      {"2a00::5", 4290, false, EgressVerdict::kOwnListener},
  };
  for (const auto& c : cases) {
    const EgressPolicy policy{
        .private_allowed = c.private_allowed, .own_ports = own_ports, .own_addresses = own_addresses};
    EXPECT_EQ(CheckEgress({Ip(c.address), c.port}, policy), c.verdict) << c.address << ":" << c.port;
  }
}

TEST(EgressTest, ThisMachineHasItsLoopbackAddress) {
  const std::vector<IpAddress> own = LocalAddresses();
  EXPECT_NE(std::find(own.begin(), own.end(), Ip("127.0.0.1")), own.end());
}

TEST(AddressTest, OnlyStrictTextualFormsAreAddresses) {
  for (const std::string_view text : {"127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "127.0.0.1 ",
                                      "[127.0.0.1]", "[::1", "::1%lo", "localhost", ""}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_EQ(Ip("[::1]").ToText(), "::1");
  EXPECT_EQ(Ip("2001:DB8:0:0::1").ToText(), "2001:db8::1");
  EXPECT_EQ(Unmapped(Ip("::ffff:1.2.3.4")), Ip("1.2.3.4"));
  EXPECT_TRUE(Ip("::ffff:127.0.0.9").IsLoopback());
  EXPECT_FALSE(Ip("128.0.0.1").IsLoopback());
}

}  // namespace
}  // namespace apiquota::net
