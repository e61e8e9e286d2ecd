#include "net/egress.h"

#include <ifaddrs.h>

#include <algorithm>

#include "net/socket_address.h"

namespace apiquota::net {
namespace {

struct Block {
  std::array<uint8_t, 16> prefix;
  int bits;
};

constexpr Block kSpecial4[] = {
    {{0}, 8},              // this network
    {{10}, 8},             // private
    {{100, 64}, 10},       // carrier-grade NAT
    {{127}, 8},            // loopback
    {{169, 254}, 16},      // link-local, clouds' metadata services
    {{172, 16}, 12},       // private
    {{192, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2}, 24},     // documentation
    {{192, 88, 99}, 24},   // 6to4 relays
    {{192, 168}, 16},      // private
    {{198, 18}, 15},       // benchmarking
    {{198, 51, 100}, 24},  // documentation
    {{203, 0, 113}, 24},   // documentation
    {{224}, 3},            // multicast, reserved, broadcast
};

constexpr Block kSpecial6[] = {
    {{0}, 96},                                   // unspecified, loopback, IPv4-compatible
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48},  // local NAT64
    {{0x01, 0x00}, 64},                          // discard
    {{0x20, 0x01, 0x00}, 23},                    // protocol assignments, Teredo
    {{0x20, 0x01, 0x0d, 0xb8}, 32},              // documentation
    {{0x3f, 0xff}, 20},                          // documentation
    {{0x5f, 0x00}, 16},                          // segment routing
    {{0xfc}, 7},                                 // unique local
    {{0xfe, 0x80}, 9},                           // link-local, site-local
    {{0xff}, 8},                                 // multicast
};

constexpr Block kNat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Block k6To4 = {{0x20, 0x02}, 16};

bool In(const IpAddress& address, const Block& block) {
  const size_t whole = static_cast<size_t>(block.bits) / 8;
  if (!std::equal(block.prefix.begin(), block.prefix.begin() + whole, address.bytes.begin())) return false;
  const int rest = block.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (address.bytes[whole] & mask) == (block.prefix[whole] & mask);
}

IpAddress Embedded4(const IpAddress& address, size_t at) {
  IpAddress out;
  std::copy_n(address.bytes.begin() + static_cast<ptrdiff_t>(at), 4, out.bytes.begin());
  return out;
}

bool IsThisMachine(const IpAddress& address, std::span<const IpAddress> own) {
  if (address.IsLoopback() || address.IsUnspecified()) return true;
  return std::any_of(own.begin(), own.end(),
                     [&](const IpAddress& mine) { return Unmapped(mine) == address; });
}

}  // namespace

bool IsPublic(const IpAddress& address) {
  const IpAddress plain = Unmapped(address);
  if (!plain.v6)
    return std::none_of(std::begin(kSpecial4), std::end(kSpecial4), [&](auto& b) { return In(plain, b); });
  if (In(plain, kNat64)) return IsPublic(Embedded4(plain, 12));
  if (In(plain, k6To4)) return IsPublic(Embedded4(plain, 2));
  return std::none_of(std::begin(kSpecial6), std::end(kSpecial6), [&](auto& b) { return In(plain, b); });
}

EgressVerdict CheckEgress(const Endpoint& target, const EgressPolicy& policy) {
  const IpAddress plain = Unmapped(target.ip);
  const bool own_port =
      std::find(policy.own_ports.begin(), policy.own_ports.end(), target.port) != policy.own_ports.end();
  if (own_port && IsThisMachine(plain, policy.own_addresses)) return EgressVerdict::kOwnListener;
  if (!policy.private_allowed && !IsPublic(plain)) return EgressVerdict::kNotPublic;
  return EgressVerdict::kAllowed;
}

std::vector<IpAddress> LocalAddresses() {
  std::vector<IpAddress> out;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const auto family = entry->ifa_addr->sa_family;
    if (family == AF_INET || family == AF_INET6) out.push_back(FromSocketAddress(entry->ifa_addr).ip);
  }
  freeifaddrs(list);
  return out;
}

}  // namespace apiquota::net
