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
  for (const std::string_view address :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
        "169.253.255.255", "192.167.255.255", "198.17.255.255", "223.255.255.255", "2606:4700::1111",
        "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    EXPECT_TRUE(IsPublic(Ip(address))) << address;
  }
  for (const std::string_view address : {"0.0.0.0",
                                         "0.1.2.3",
                                         "10.0.0.1",
                                         "10.255.255.255",
                                         "100.64.0.1",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "127.255.255.255",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.1",
                                         "192.0.2.1",
                                         "192.168.0.1",
                                         "198.18.0.1",
                                         "198.19.255.255",
                                         "198.51.100.7",
                                         "203.0.113.7",
                                         "224.0.0.1",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::ffff:127.0.0.1",
                                         "::ffff:10.0.0.1",
                                         "::127.0.0.1",
                                         "64:ff9b::7f00:1",
                                         "64:ff9b::a00:1",
                                         "64:ff9b:1::1",
                                         "2002:7f00:1::",
                                         "2002:c0a8:1::1",
                                         "2001::1",
                                         "2001:db8::1",
                                         "fc00::1",
                                         "fdff::1",
                                         "fe80::1",
                                         "febf::1",
                                         "fec0::1",
                                         "ff02::1",
                                         "100::1",
                                         "3fff::1",
                                         "5f00::1"}) {
    EXPECT_FALSE(IsPublic(Ip(address))) << address;
  }
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

}  // namespace
}  // namespace apiquota::net
