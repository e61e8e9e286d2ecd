#include "config/listen_address.h"

#include "base/ip_address.h"
#include "base/text.h"

namespace apiquota::config {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr size_t kPathBytesMax = 107;  // sockaddr_un, less its final NUL

std::optional<net::ListenAddress> ParseUnix(std::string_view path) {
  const bool fits = path.size() <= kPathBytesMax && path.find('\0') == std::string_view::npos;
  if (!fits || !path.starts_with('/') || path.ends_with('/')) return std::nullopt;
  return net::ListenAddress{"", 0, std::string(path)};
}

}  // namespace

std::optional<net::ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.starts_with(kUnix)) return ParseUnix(text.substr(kUnix.size()));
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
  return address.is_unix() || address.host == "localhost" || (ip && ip->IsLoopback());
}

}  // namespace apiquota::config
