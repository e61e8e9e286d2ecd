// An IP address as a value; no names, no sockets. The one parser of its textual forms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apiquota {

struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

  // Strict textual forms only ("127.0.0.1", "::1", also in brackets); no octal, no short forms, no
  // zone. Allocates nothing.
  static std::optional<IpAddress> Parse(std::string_view text);
  std::string ToText() const;
  bool IsLoopback() const;     // 127.0.0.0/8, ::1 and the IPv4-mapped form of the former
  bool IsUnspecified() const;  // 0.0.0.0 and ::, which stand for "all addresses"

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// ::ffff:a.b.c.d → a.b.c.d; everything else as it is.
IpAddress Unmapped(const IpAddress& address);

}  // namespace apiquota
