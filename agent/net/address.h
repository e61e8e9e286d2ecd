// Where a connection leads: an IP address and a port, as a value.
#pragma once

#include <cstdint>

#include "base/ip_address.h"

namespace apiquota::net {

struct Endpoint {
  IpAddress ip;
  uint16_t port = 0;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace apiquota::net
