// An IP address and a port as values; no names, no sockets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apiquota::net {

struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

  // Strict textual forms only ("127.0.0.1", "::1", also in brackets); no octal, no short forms, no
  // zone.
  static std::optional<IpAddress> Parse(std::string_view text);
  std::string ToText() const;
  bool IsLoopback() const;  // 127.0.0.0/8, ::1 and the IPv4-mapped form of the former

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// ::ffff:a.b.c.d → a.b.c.d; everything else as it is.
IpAddress Unmapped(const IpAddress& address);

struct Endpoint {
  IpAddress ip;
  uint16_t port = 0;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace apiquota::net
