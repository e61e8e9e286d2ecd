// Where the agent may connect to: the one choke point. Judged is the address a connection is about
// to go to, after names are resolved, so a name that changes its mind changes nothing. Pure, but
// for LocalAddresses().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "net/address.h"

namespace apiquota::net {

enum class EgressVerdict : uint8_t {
  kAllowed,
  kNotPublic,    // loopback, private, link-local, CGNAT, documentation, multicast …
  kOwnListener,  // the agent itself
};

struct EgressPolicy {
  bool private_allowed = false;              // the operator wrote this base URL
  std::span<const uint16_t> own_ports;       // the agent's listeners
  std::span<const IpAddress> own_addresses;  // this machine's; loopback and 0.0.0.0 count in any case
};

EgressVerdict CheckEgress(const Endpoint& target, const EgressPolicy& policy);

// Reachable from anywhere (IANA special-purpose registries, RFC 6890). IPv6 forms that carry an
// IPv4 address (mapped, NAT64, 6to4) are judged by that.
bool IsPublic(const IpAddress& address);

// Addresses of this machine's interfaces, now.
std::vector<IpAddress> LocalAddresses();

}  // namespace apiquota::net
