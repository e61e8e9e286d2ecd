// A range of IP addresses ("10.0.0.0/8", "::1/128") as a value.
#pragma once

#include <optional>
#include <string_view>

#include "base/ip_address.h"

namespace apiquota {

struct IpNetwork {
  IpAddress address;  // its host bits are 0
  int bits = 0;

  // An address, alone or with "/bits"; host bits must be 0.
  static std::optional<IpNetwork> Parse(std::string_view text);
  bool Contains(const IpAddress& other) const;  // IPv4-mapped IPv6 counts as IPv4

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;
};

}  // namespace apiquota
