// Whose address a request is counted under: the peer's, or, behind proxies that the operator trusts, the one
// that the last of them says it came from (X-Forwarded-For). That field is read from its end, one hop after
// the other, as long as the hop that said it is trusted: what stands further ahead anybody can have written.
// A hop that can't be read as an address ("unknown", a name, an empty one) ends it, and the trusted hop that
// said so is the client. Pure; thread-safe.
#pragma once

#include <span>
#include <string>

#include "base/ip_address.h"
#include "base/ip_network.h"
#include "http/fields.h"

namespace apiquota::proxy {

// IPv4 whole (IPv4-mapped IPv6, too), of IPv6 the /64 that one host has ("2001:db8:1:2::/64"). Who comes by a
// Unix socket is of this machine, as a client from loopback.
std::string ClientAddress(const IpAddress& peer, std::span<const IpNetwork> trusted,
                          const http::Fields& fields);

}  // namespace apiquota::proxy
