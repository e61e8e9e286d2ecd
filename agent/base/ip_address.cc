#include "base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace apiquota {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<uint8_t, 16> kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  std::array<char, INET6_ADDRSTRLEN> copy{};  // with its end
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(copy.data(), text.size());
  IpAddress out;
  if (inet_pton(AF_INET, copy.data(), out.bytes.data()) == 1) return out;
  out.v6 = true;
  if (inet_pton(AF_INET6, copy.data(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::string IpAddress::ToText() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text) ? text : "";
}

bool IpAddress::IsLoopback() const {
  const IpAddress plain = Unmapped(*this);
  return plain.v6 ? plain.bytes == kLoopback6 : plain.bytes[0] == 127;
}

bool IpAddress::IsUnspecified() const { return *this == IpAddress{.v6 = v6, .bytes = {}}; }

IpAddress Unmapped(const IpAddress& address) {
  if (!address.v6 || !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin())) {
    return address;
  }
  IpAddress out;
  std::copy_n(address.bytes.begin() + kMappedPrefix.size(), 4, out.bytes.begin());
  return out;
}

}  // namespace apiquota
