#include "base/ip_network.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota {
namespace {

constexpr int kByteBits = 8;
constexpr int kBits4 = 32;
constexpr int kBits6 = 128;

IpAddress Masked(const IpAddress& address, int bits) {
  IpAddress masked = address;
  for (int i = 0; i < static_cast<int>(masked.bytes.size()); ++i) {
    const int kept = std::clamp(bits - i * kByteBits, 0, kByteBits);
    masked.bytes[static_cast<size_t>(i)] &= static_cast<uint8_t>(0xff << (kByteBits - kept));
  }
  return masked;
}

}  // namespace

std::optional<IpNetwork> IpNetwork::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork network{*address, address->v6 ? kBits6 : kBits4};
  if (slash != std::string_view::npos) {
    const auto bits = ParseDigits(text.substr(slash + 1));
    if (!bits || *bits > static_cast<uint64_t>(network.bits)) return std::nullopt;
    network.bits = static_cast<int>(*bits);
  }
  if (Masked(network.address, network.bits) != network.address) return std::nullopt;
  return network;
}

bool IpNetwork::Contains(const IpAddress& other) const {
  const IpAddress plain = Unmapped(other);
  return plain.v6 == address.v6 && Masked(plain, bits) == address;
}

}  // namespace apiquota
