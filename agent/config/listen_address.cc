#include "config/listen_address.h"

#include "base/ip_address.h"
#include "base/text.h"

namespace apiquota::config {

std::optional<net::ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseDigits(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  net::ListenAddress address{std::string(host), static_cast<uint16_t>(*port)};
  const auto ip = IpAddress::Parse(host);
  const bool brackets = host.starts_with('[');
  if (brackets && ip) address.host = host.substr(1, host.size() - 2);
  const bool legal = brackets ? ip.has_value() : host.empty() || host == "localhost" || (ip && !ip->v6);
  if (!legal) return std::nullopt;
  return address;
}

bool IsLoopback(const net::ListenAddress& address) {
  const auto ip = IpAddress::Parse(address.host);
  return address.host == "localhost" || (ip && ip->IsLoopback());
}

}  // namespace apiquota::config
