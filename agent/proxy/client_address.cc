#include "proxy/client_address.h"

namespace apiquota::proxy {

std::string ClientAddress(const IpAddress& peer, std::span<const IpNetwork>, const http::Fields&) {
  return Unmapped(peer).ToText();
}

}  // namespace apiquota::proxy
