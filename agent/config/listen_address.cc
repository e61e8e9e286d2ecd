#include "config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.h"

namespace apiquota::config {
namespace {

bool IsIpv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

std::optional<in6_addr> ParseIpv6(const std::string& host) {
  in6_addr address{};
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  return address;
}

}  // namespace

std::optional<net::ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseDigits(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  net::ListenAddress address{std::string(host), static_cast<uint16_t>(*port)};
  if (host.starts_with('[') && host.ends_with(']')) {
    address.host = host.substr(1, host.size() - 2);
    if (!ParseIpv6(address.host)) return std::nullopt;
    return address;
  }
  if (!host.empty() && host != "localhost" && !IsIpv4(address.host)) return std::nullopt;
  return address;
}

bool IsLoopback(const net::ListenAddress& address) {
  if (address.host == "localhost") return true;
  if (IsIpv4(address.host)) return address.host.starts_with("127.");
  const auto ipv6 = ParseIpv6(address.host);
  return ipv6 && IN6_IS_ADDR_LOOPBACK(&*ipv6);
}

}  // namespace apiquota::config
