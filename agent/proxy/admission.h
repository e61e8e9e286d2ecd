// Which requests the proxy takes at all: addressed to it by a name of its own, and not sent by a web page of
// somebody else's while the agent adds keys (DNS rebinding, cross-site requests). Pure; thread-safe.
#pragma once

#include <cstdint>

#include "http/codec.h"
#include "net/host_names.h"

namespace apiquota::proxy {

// Host, and the authority of an absolute-form target, are names of ours. HTTP/1.0 without Host is taken.
//
// Whoever sends absolute-form (RFC 9112 3.2.2) may take us for a forward proxy and mean another service of
// this machine: a port in the target must be `own_port`, the listener's. In Host any port is taken, because a
// client that reaches us through a mapped port (a container's, a tunnel's) names that one.
bool HostAllowed(const net::HostNames& names, uint16_t own_port, const http::RequestHead& head);

// What the request is addressed to: the authority of an absolute-form target, else Host (RFC 9112 3.2.2).
std::string_view RequestAuthority(const http::RequestHead& head);

// Origin is absent or the very authority of Host; Sec-Fetch-Site is not cross-site or same-site.
bool SameOrigin(const http::RequestHead& head);

}  // namespace apiquota::proxy
